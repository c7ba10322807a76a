#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A backend whose pure ops end, crash, hang or print: whoever asks it is not to end, hang or print
# with it, and says which backend it was, and at which op.
set -u
. "${srcdir:-.}/tests/faults/script.sh"
only moody
dense 2 net.json

# moody MISDEED WORD...: the program, while the plugin does that: "space exit".
moody() {
    MISDEED=$1
    export MISDEED
    shift
    "$anole" "$@"
}
tune() {
    misdeed=$1
    shift
    rm -f h
    moody "$misdeed" tune net.json --trials 2 --no-in-place --history h --output "$@"
}

# -- what hangs, beside all else: ten seconds each --
for op in supports space valid features; do
    (
        mkdir "hang-$op" && cd "hang-$op" || exit
        tune_there() {
            MISDEED="$op hang" "$anole" tune ../net.json --trials 4 --history h --output o
        }
        tune_there >out 2>err </dev/null
        echo $? >code
    ) &
done
# SIGTERM comes while the plugin hangs.
MISDEED='space hang' "$anole" tune net.json --trials 2 --history h9 --output o9 >out 2>err \
    </dev/null &
hangs=$!
sleep 2
check 'it hangs' "kill -TERM $hangs"
wait $hangs
check 'SIGTERM ends it, and not with 0' "[ $? -ne 0 ]"

# -- well, and without a word of the plugin's where only ours belong --
expect 0 'wrote lock' tune '' lock
expect 0 '"trials"' tune 'all print' printed --json
check 'nothing of what it prints is among it' '! grep -q "word from" out err'
command -v python3 >/dev/null && check 'it is JSON' 'python3 -m json.tool out >/dev/null'
expect 0 'dense' moody 'all print' tasks net.json --device moody --json
check 'nor in a list of tasks' '! grep -q "word from" out err'

# ended DEED: how the plugin's process ends, in words.
ended() {
    case $1 in
    exit | _exit) echo 'exited with code 0' ;;
    abort) echo 'was killed by SIGABRT' ;;
    crash) echo 'was killed by SIGSEGV' ;;
    esac
}
for deed in _exit abort; do
    expect 3 "^anole: backend moody: .*dense.*$(ended $deed) .*(op space)" tune "space $deed" o
done
for deed in exit crash; do
    how=$(ended $deed)
    # Whether it supports a task is not known: it is taken not to.
    expect 2 "backend moody: .*$how .*(op supports)" tune "supports $deed" o
    for op in space valid features; do
        expect 3 "^anole: backend moody: .*dense.*$how .*(op $op)" tune "$op $deed" o
        check 'nothing was written' '[ ! -e o ]'
    done
done
# A kernel's text is asked of a build worker, too: no kernel of such a backend works.
expect 1 'exited with code 0 .*generating the kernel' tune 'generate exit' o

# -- the other verbs --
for deed in exit crash; do
    how=$(ended $deed)
    for op in supports space; do
        expect '[1-9]' "backend moody: .*$how .*(op $op)" moody "$op $deed" verify lock
        # What no backend can be asked about runs on the host, and is said to.
        expect 0 "backend moody: .*$how .*(op $op)" moody "$op $deed" run net.json --tuned lock
    done
    expect '[0-9]' "backend moody: .*$how .*(op supports)" moody "supports $deed" tasks net.json --device moody
    expect 3 "backend moody: .*$how .*(op space)" moody "space $deed" tasks net.json --device moody
    expect 3 "backend moody: .*$how .*(op valid)" moody "valid $deed" tasks net.json --device moody
    expect 3 "$how" moody "space $deed" plugin check "$plugins/moody.so"
done
expect 0 . moody 'space crash' best lock

# -- its file, cut short while it is in use: said, at the latest when the program ends --
rm backends/moody.so
cp "$plugins/moody.so" backends/whole
for op in supports valid; do
    cp backends/whole backends/moody.so
    CUT=$folder/backends/moody.so
    export CUT
    rm -f h
    expect '[1-9][0-9]*' 'backend moody: .*was cut short\|backend moody: .*SIGBUS: was its file\|AddressSanitizer' \
        tune "$op cut" o --device moody
done
cp backends/whole backends/moody.so

# -- what hung --
wait
for op in supports space valid features; do
    check "a hang in $op is said" \
        "grep -q 'backend moody: .*took longer than 10 s .*(op $op)' 'hang-$op/err'"
    check 'it is no success' "[ \"\$(cat 'hang-$op/code')\" -ne 0 ]"
done
exit $failed
