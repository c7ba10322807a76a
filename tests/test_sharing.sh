#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Lock files of many machines: what is similar comes first, what is adopted was measured and
# checked here, and hostile files do no harm.
set -u
. "${srcdir:-.}/tests/faults/script.sh"
only quick
program=$anole
escape=$(printf '\033')
has() { check "$1" 'cat out err | grep -q -e "$1"'; }
dense 1 net.json
expect 0 'wrote' tune net.json --trials 40 --explorer random --seed 5 --history h --output mine.lock.json
mkdir tuned
# Another machine's: other names, and a time of its own.
sed 's/"device": "[^"]*"/"device": "Loom"/; s/"driver_version": "[^"]*"/"driver_version": "0.9"/' mine.lock.json >tuned/net.loom.lock.json
cp mine.lock.json keep
knobs=$(sed -n '0,/"knobs"/s/.*\("knobs": {[^}]*}\).*/\1/p' mine.lock.json)

# -- --from: the default first, then what was given --
expect 0 'begins with what was found on a similar machine: device Loom, driver .* 0.9' \
    tune net.json --from tuned --trials 4 --history from --output from.lock.json
check 'the second trial of a task is what was given' \
    'grep "\"outcome\":\"ok\"" from | grep -q "$(echo "$knobs" | sed "s/ //g")"'
expect 2 'no lock file\|expected a folder\|there is no such' tune net.json --from nowhere --trials 2 --history f2 --output f2.lock.json
mkdir empty
expect 2 'expected a folder with lock files' tune net.json --from empty --trials 2 --history f2 --output f2.lock.json

# -- verify --adopt --
expect 2 'expected --output' verify tuned --adopt --device quick
expect 2 'expected --adopt' verify tuned --output x --device quick
expect 0 'right, adopted  *device Loom, driver .* 0.9' verify tuned --adopt --output new.lock.json --device quick
has '^adopted 1 of 1 tasks, in new.lock.json'
check 'the entry is of this device, and says where it came from' \
    'grep -q "\"adopted_from\": \"device Loom" new.lock.json && ! grep -q "\"device\": \"Loom\"" new.lock.json'
expect '0\|6' 'right' verify new.lock.json --device quick
expect 0 '"adopted": true' verify tuned --adopt --output new.lock.json --device quick --json
expect 0 'all as here' verify mine.lock.json --adopt --output again.lock.json --device quick
check 'what is exact needs no origin' '! grep -q adopted_from again.lock.json'
check 'what was adopted from is as it was' 'cmp -s keep mine.lock.json'
# A config that means nothing here is passed over, and nothing is written of it.
mkdir odd
sed 's/"knobs": {[^}]*}/"knobs": {"nonsense": 7}/' tuned/net.loom.lock.json >odd/net.lock.json
expect 4 'none of 1 tasks' verify odd --adopt --output odd.out --device quick
check 'nothing was written' '[ ! -e odd.out ]'
# What the file has of other tasks stays.
dense 2 net.json
expect 0 'wrote' tune net.json --trials 9 --history h3 --output wide.lock.json
expect 0 'adopted' verify tuned --adopt --output wide.lock.json --device quick
check 'two tasks are there' '[ "$(grep -c "\"task\":" wide.lock.json)" -eq 2 ]'

# -- folders elsewhere --
cp mine.lock.json tuned/net.mine.lock.json
expect 0 'Loom' best tuned
expect 0 '^B  .*Loom\|^A  .*Loom' compare tuned
has 'quick'
expect 0 'tuned' run net.json --tuned tuned --device quick
mkdir same && cp mine.lock.json same/a.lock.json && cp mine.lock.json same/b.lock.json
expect 0 '^B  .*quick' compare same

# -- hostile folders --
echo '{"anole_lock": 2' >tuned/a.lock.json
ln -s ../mine.lock.json tuned/b.lock.json
mkfifo tuned/c.lock.json
mkdir tuned/d.lock.json
expect 0 'a.lock.json.*left out' best tuned
has 'b.lock.json: no regular file of this folder; left out'
has 'c.lock.json: no regular'
has 'd.lock.json: no regular'
sed "s/Loom/\\\\u001b[31mLoom\\\\u0007/; s/\"driver\": \"/&\\\\u009b/; s/\"network_path\": \"[^\"]*\"/\"network_path\": \"\\/etc\\/passwd\"/" tuned/net.loom.lock.json >tuned/evil.lock.json
for verb in "best tuned" "verify tuned --adopt --output e.lock.json --device quick" \
    "tune net.json --from tuned --trials 5 --history e --output e2.lock.json"; do
    # shellcheck disable=SC2086
    "$anole" $verb >out 2>err
    check "$verb sends no escapes" '! cat out err | LC_ALL=C grep -q "[$escape$(printf "\007\233")]"'
done
exit $failed
