#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A run as it goes: for people on a terminal, wide or narrow, and for programs as events.
set -eu
[ -e plugins/.libs/replay.so ] || exit 77 # not built
. "${srcdir:-.}/tests/script.sh"
data=$data/spaces
export ANOLE_REPLAY="$data"
t1=$data/bowl/T1.json

# tune FILES OPTION...: a hundred trials of a recorded kernel.
tune() {
    name=$1
    shift
    "$anole" tune --kernel "$t1" --device replay:1 --trials 100 --history "$name.history" \
        --output "$name.lock.json" "$@"
}
count() {
    grep -c "^{\"event\":\"$1\"" err
}

# ---------------------------------------------------------------- events
check 'a run for a program' 'tune events --log-json >out 2>err'
check 'every line is an object with its event' '! grep -qv "^{\"event\":\".*}$" err'
check 'it begins with what is tuned, and ends with what was found' \
    'head -n 1 err | grep -q "^{\"event\":\"start\",.*\"output\":\"events.lock.json\"" &&
     tail -n 1 err | grep -q "^{\"event\":\"end\",.*\"seconds\":[0-9]"'
check 'each trial is an event, and each phase' \
    '[ "$(count trial)" -gt 0 ] && [ "$(count trial)" -le 100 ] && [ "$(count phase)" -ge 3 ]'
check 'in the end all is done' \
    'grep "^{\"event\":\"trial\"" err | tail -n 1 | grep -q "\"done\":1.0,.*\"trials\":100,"'
check 'the table is on stdout as ever' 'grep -q "^wrote events.lock.json" out'
if command -v python3 >/dev/null; then
    cat >read.py <<"END"
import json, sys
events = [json.loads(line) for line in open(sys.argv[1])]
trials = [event for event in events if event["event"] == "trial"]
best = [event["estimate"]["best_seconds"] for event in trials if event["estimate"]["best_seconds"]]
assert best and best == sorted(best, reverse=True), best
assert sum(event["event"] == "task" for event in events) == 1
END
    check 'a program can read them' 'python3 read.py err >out 2>&1'
fi
check 'what cannot be opened is an event, too' \
    '! "$anole" tune --log-json nowhere.json 2>err && [ "$(count message)" = 1 ] &&
     grep -q "\"level\":\"error\"" err && ! grep -qv "^{" err'
printf 'x' >"$(printf 'a\033[31m"b.json')"
check 'names of files are escaped' \
    '! "$anole" tune --log-json "$(printf "a\\033[31m\"b.json")" 2>err &&
     ! grep -q "$(printf "\\033")" err && ! grep -qv "^{\"event\":\".*}$" err'
"$anole" tune "$networks/tiny.json" --device cpu --time 1h --log-json --history c.history \
    --output c.lock.json >out 2>err </dev/null &
waited=0
while ! grep -q '"event":"tick"' err && [ $waited -lt 100 ]; do
    sleep 0.2
    waited=$((waited + 1))
done
kill -INT $!
code=0
wait $! || code=$?
check 'what goes on after a stop goes on with events' \
    '[ $code -eq 130 ] && grep "go on with" err | grep -q -e "--log-json" && ! grep -qv "^{" err'

# --------------------------------------------------------------- terminal
# On a terminal of $1 columns.
on_terminal() {
    script -qec "stty cols $1 rows 24; TERM=xterm; export TERM; $anole tune --kernel $t1 \
        --device replay:1 --trials 100 --history w$1.history --output w$1.lock.json" /dev/null \
        >out 2>err </dev/null
}
# The longest line that is painted, in columns.
widest() {
    tr '\r' '\n' <out | sed 's/'"$(printf '\033')"'\[[0-9]*[AJ]//g' |
        awk '/^\[[#-]+\] / { on = 1 } /^anole|^layer|^ *$/ { on = 0 }
             on && length > most { most = length } END { print most + 0 }'
}
if command -v script >/dev/null; then
    for columns in 80 40; do
        check "a bar on a terminal of $columns columns" \
            "on_terminal $columns && grep -q '^.*\[#*-*\] [0-9]* %' out"
        check 'with what there is to know' \
            'grep -q "searching" out && grep -q "network .* -> " out && grep -q "failures" out'
        check 'and no line is wider' '[ "$(widest)" -gt 20 ] && [ "$(widest)" -lt '$columns' ]'
    done
    check 'a dumb terminal gets plain lines' \
        'script -qec "TERM=dumb; export TERM; $anole tune --kernel $t1 --device replay:1 --trials 30 \
         --history d.history --output d.lock.json" /dev/null >out 2>err </dev/null &&
         ! grep -q "$(printf "\\033")" out && grep -q "searching" out'
fi
exit $failed
