#!/bin/sh
# SPDX-License-Identifier: MIT
#
# bench/device.sh on a backend that computes on the host: all runs are made, once;
# what a history says decides what the table says.
. "${srcdir:-.}/tests/faults/script.sh"
set -u
top=$(dirname "$networks")
build=$(dirname "$anole")
command -v python3 >/dev/null || exit 77
ANOLE_BENCH_RACE=${ANOLE_BENCH_RACE:-$build/bench/anole-bench-race} ANOLE=$anole
export ANOLE ANOLE_BENCH_RACE
only good

bench() {
    "$top/bench/device.sh" runs --device good:0 --network "$networks/tiny.json" \
        --layers conv1,pw --trials 6 --race 1s "$@"
}
expect 2 'bench/device.sh' bench --wrong
expect 1 'first layer is conv9' bench --layers conv9
expect 0 'Geometric mean of the ratios' bench --seeds 1
touch -r runs/conv1-rl-1.lock.json before
expect 0 '^| pw | 2 |' bench --seeds 2
check 'what was complete is kept' '[ ! runs/conv1-rl-1.lock.json -nt before ]'
check 'there are pairs of the same seed' '[ "$(ls runs/*-2.lock.json | wc -l)" = 4 ]'
check 'every run begins with an empty history' \
    '[ "$(cat runs/*.history | grep -c outcome)" = 48 ]'
check 'all that was found is timed in turn' '[ "$(wc -l <runs/pw.race)" = 4 ]'
rm runs/pw-rl-2.lock.json
expect 0 '^| pw | 2 |' bench --seeds 2
check 'one that is not complete is made anew' \
    '[ "$(grep -c outcome runs/pw-rl-2.history)" = 6 ]'

# Made up: 8 us after 3 of the 4 trials; 7 us after the second, of 10 s each.
mkdir made
trial() { # SECONDS KNOB MINUTE:SECOND [OUTCOME [ABANDONED]]
    printf '{"knobs":{"k":%d},"outcome":"%s","seconds":%s,"abandoned":%s,"time":"2001-09-09T01:%sZ"}\n' \
        "$2" "${4:-ok}" "$1" "${5:-false}" "$3"
}
{
    trial 9e-6 1 46:50
    trial null 2 47:00 compile
    trial 8e-6 3 47:10
    trial 7e-6 4 47:20 ok true
} >made/l-autotvm-1.history
{
    trial 9e-6 1 46:45
    trial 7e-6 5 46:50
} >made/l-rl-1.history
for run in l-autotvm-1 l-rl-1; do
    echo 1000000000 >made/$run.began # 01:46:40
    echo 1000000050 >made/$run.ended
    echo '{}' >made/$run.lock.json
    printf 'x\n4 trials in 50 s\n' >made/$run.txt
done
printf 'd/l-autotvm-1.lock.json\t4e-6\t6e-6\t5e-6\nd/l-rl-1.lock.json\t2e-6\t3e-6\t2e-6\n' >made/l.race
python3 "$top/bench/device_table.py" table made >out
check 'failures and what was abandoned reach nothing' 'grep -q "^| l | 1 | 3 (3 to 3) | 2 " out'
check 'wall times are since the start' 'grep -q "| 30 (3[01] to 3[01]) | 10 (1[01] to 1[01]) | 50 " out'
check 'and so are their ratios' 'grep -q "| 4.76 (4.76 to 4.76) | 2.90 " out'
check 'the final kernels are compared round by round' 'grep -q "| 5.0 .* | 2.0 .* | 2.000 " out'
exit $failed
