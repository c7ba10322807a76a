#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What failed is shown by kind, and fails again by the command that stands with it;
# and what a run announces before it tries a config where that may end the machine.
set -u
. "${srcdir:-.}/tests/faults/script.sh"

expect 0 'Usage: anole replay-trial' "$anole" replay-trial --help
expect 2 'expected HISTORY ID' "$anole" replay-trial
expect 2 'there is no such history' "$anole" replay-trial nothing 1

# -- failures --
only quick
dense 1 net.json
expect 0 'wrote o.json' "$anole" tune net.json --trials 40 --explorer random --history h \
    --output o.json --seed 5
"$anole" best --failures h >kinds 2>err
check 'failures are counted' 'grep -q "of 40 trials failed, in [0-9]* ways" kinds'
for outcome in invalid compile wrong-answer crash; do
    check "there is a kind $outcome" "grep -q '^$outcome: ' kinds"
done
check 'each kind has a command' \
    '[ "$(grep -c "^  [0-9]* x  " kinds)" -eq "$(grep -c "anole replay-trial h [0-9]*$" kinds)" ]'

# replay OUTCOME CODE: the first command that stands under an outcome.
replay() {
    id=$(sed -n "/^$1: /,/^$/s/.*anole replay-trial h //p" kinds | head -n 1)
    expect "$2" "now    $1: " "$anole" replay-trial h "$id"
    check "it failed like that then, too" 'grep -q "^then   '"$1"': " out'
}
replay invalid 4
replay compile 4
replay wrong-answer 5
replay crash 4
ok=$(grep '"outcome":"ok"' h | sed -n 's/.*"id":\([0-9]*\).*/\1/p' | head -n 1)
expect 0 '^now    ok, ' "$anole" replay-trial h "$ok"
expect 0 '"outcome": "ok"' "$anole" replay-trial h "$ok" --json
expect 0 'source k.cl' "$anole" replay-trial h "$ok" --source k.cl
check 'the source was written' 'grep -q "kernel void" k.cl'
check 'replaying adds nothing to the history' '[ "$(trials h)" -eq 40 ]'
expect 0 '"kinds"' "$anole" best --failures h --json
expect 2 'no trial 4711' "$anole" replay-trial h 4711
expect 2 'ID' "$anole" replay-trial h one
expect 2 'no history' "$anole" best --failures o.json
expect 2 'expected one of them' "$anole" best --failures h --kernels k
only good
expect 3 'which is not here' "$anole" replay-trial h "$ok"
expect 2 'cannot be made by this version' "$anole" replay-trial h "$ok" --device good:0

# -- announcements --
only apart
announced() {
    grep -c '"outcome":"begun"' b
}
expect 0 'wrote p.json' "$anole" tune net.json --trials 6 --history b --output p.json
check 'each trial was announced' '[ "$(announced)" -eq 6 ] && [ "$(trials b)" -eq 6 ]'
only good
expect 0 'wrote q.json' "$anole" tune net.json --device good --trials 6 --history c --output q.json
check 'not where that would be in vain' '! grep -q begun c'
exit $failed
