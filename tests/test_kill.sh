#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A tuner that is killed at random moments, over and over, and goes on each time:
# every line of its history that was once whole stays as it was, no trial is made
# twice, the lock file is there whole or not at all, and neither a process nor a
# folder is left behind.  $KILLS: how often (default 12; some hundreds take minutes).
set -u
. "${srcdir:-.}/tests/faults/script.sh"
kills=${KILLS:-12}
seed=${SEED:-$$}
TMPDIR=$folder/tmp
ANOLE_TEST_MARK=kill.$$ # in the environment of whatever the tuner starts
export TMPDIR ANOLE_TEST_MARK
mkdir tmp
only good simulated
dense 100 net.json

# A number below $1, from a generator of our own: with $SEED a run can be repeated.
random() {
    seed=$(((seed * 1103515245 + 12345) % 2147483648))
    echo $((seed / 65536 % $1))
}

# The whole lines of a history.
whole_lines() {
    [ ! -f "$1" ] || sed '$d' "$1"
    [ ! -f "$1" ] || tail -n 1 "$1" | grep '"crc":"[0-9a-f]*"}$'
}

tune() {
    backend=$1 count=$2
    "$anole" tune net.json --device "$backend" --trials "$count" --history "$backend.h" \
        --output "$backend.lock.json" --seed 3
}

# kill_one BACKEND: starts, kills, looks.
kill_one() {
    : >>"$1.before"
    tune "$1" 700 >out 2>err </dev/null &
    pid=$!
    random 100 >percent
    sleep "$(awk -v whole="$whole" '{ printf "%.3f", whole * $1 / 1e5 }' percent)"
    # The shell of the background function, and the tuner in it.
    tuner=$(cat "/proc/$pid/task/$pid/children" 2>/dev/null)
    # shellcheck disable=SC2086 # one number, or none
    kill -KILL ${tuner:-$pid} 2>/dev/null && killed=$((killed + 1))
    wait $pid 2>/dev/null
    whole_lines "$1.h" >now
    head -n "$(wc -l <"$1.before")" now | cmp -s - "$1.before" ||
        fail "kill $round: lines that were whole have changed or gone"
    mv now "$1.before"
    if [ -e "$1.lock.json" ]; then
        "$anole" best "$1.lock.json" >/dev/null 2>err ||
            fail "kill $round: the lock file is not whole"
        # From the beginning.
        rm -f "$1.h" "$1.lock.json" "$1.before"
    fi
}

# How long a run takes here and now, in milliseconds: kills come somewhere within it.
begin=$(date +%s%3N)
expect 0 'wrote simulated.lock.json' tune simulated 700
whole=$(($(date +%s%3N) - begin))
rm -f simulated.h simulated.lock.json

killed=0
round=0
while [ $round -lt "$kills" ]; do
    round=$((round + 1))
    backend=simulated
    [ $((round % 4)) -ne 0 ] || backend=good
    kill_one $backend
    [ ! -f $backend.h ] || [ -z "$(repeated $backend.h)" ] ||
        fail "kill $round: a config was tried twice"
done
echo "killed $killed times in $kills runs"
check 'most were killed' '[ $((2 * killed)) -ge "$kills" ]'

expect 0 'wrote simulated.lock.json' tune simulated 700
check 'all trials are there, each once' \
    '[ "$(trials simulated.h)" -eq 700 ] && [ -z "$(repeated simulated.h)" ]'
expect 0 'dense' "$anole" best simulated.lock.json

# What is left goes by itself, in a moment.
marked() {
    grep -l "ANOLE_TEST_MARK=kill.$$" /proc/[0-9]*/environ 2>/dev/null | while read -r environ; do
        case $(cat "${environ%environ}comm" 2>/dev/null) in anole*) echo "$environ" ;; esac
    done
}
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    [ -n "$(marked)$(find tmp -mindepth 1)" ] || break
    sleep 0.5
done
# One whose tuner was killed before it had a worker goes with the next run, a minute on.
find tmp -name .in-use -exec touch -d '2 minutes ago' {} +
dense 1 net.json
expect 0 'wrote good.lock.json' tune good 1
check 'no folder is left behind' '[ -z "$(find tmp -mindepth 1)" ]'
check 'no process is left behind' '[ -z "$(marked)" ]'
exit $failed
