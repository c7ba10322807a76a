#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The circle: a recorded space is tuned as if it were a device, what that found is
# exported as T4, and a search learns from the export.
set -eu
[ -e plugins/.libs/replay.so ] || exit 77 # not built
bench=${ANOLE_BENCH_SEARCH:-bench/anole-bench-search}
case $bench in /*) ;; *) bench=$PWD/$bench ;; esac
. "${srcdir:-.}/tests/script.sh"
data=$data/spaces

export ANOLE_REPLAY="$data"
t1=$data/bowl/T1.json
check 'the recordings are devices' '"$anole" devices >out 2>err && grep -q "^replay:2  odd" out'
check 'a recorded kernel is tuned' '"$anole" tune --kernel "$t1" --device replay:1 --trials 60 \
    --seed 1 --json >out 2>err'
check 'to what was recorded' 'grep -q "\"simulated\":true" bowl.history'
# The optimum is at 0.967 ms, the default at 2.28.
check 'and it becomes much faster' \
    'sed -n "s/.*\"seconds\": *\([0-9.e-]*\),*/\1/p" bowl.lock.json |
     awk "NR == 1 { found = \$1 } END { exit !(found > 9.6e-4 && found < 1.5e-3) }"'
check 'what was found is verified' '"$anole" verify bowl.lock.json --kernel "$t1" --device replay:1 >out 2>err'
# The knobs of the trial that took longest take the place of those that were found.
slowest=$(sed -n 's/.*"knobs":\({[^}]*}\).*"seconds":\([0-9.e+-]*\).*/\2 \1/p' bowl.history |
    sort -g | tail -n 1)
sed "s/\"knobs\": {[^}]*}/\"knobs\": ${slowest#* }/" bowl.lock.json >slow.lock.json
code=0
"$anole" verify slow.lock.json --kernel "$t1" --device replay:1 >out 2>err || code=$?
check 'what is slower than the default is found out' \
    '[ $code -eq 6 ] && grep -q "slower than the default config" err'
check 'the history goes out as T4' '"$anole" export bowl.history --t1 "$t1" --output own.T4.json \
    >out 2>err'
check 'with all trials, in the words of the T1 file' \
    '[ "$(grep -c "\"configuration\"" own.T4.json)" = 60 ] && grep -q "\"layout\":\"row\"" own.T4.json'
check 'a search learns from it' '"$bench" --space "$data/bowl/far.T4.json.gz" --t1 "$t1" -e rl -r 1 \
    -n 20 --transfer own.T4.json >out 2>err && grep -q "^rl " out'
# Every way to fail that T4 files know.
gzip -dc "$data/bowl/odd.T4.json.gz" | sed -e 's/"invalidity":"runtime"/"invalidity":"timeout"/g
    s/"invalidity":"compile"/"invalidity":"correctness"/g' >failed.T4.json
export ANOLE_REPLAY="$t1:$folder/failed.T4.json"
check 'recorded failures are trials that failed so' '"$anole" tune --kernel "$t1" --device replay \
    --trials 80 --explorer random --history failed.history --output failed.lock.json >out 2>err &&
    grep -q "\"outcome\":\"timeout\"" failed.history &&
    grep -q "\"outcome\":\"wrong-answer\"" failed.history &&
    ! grep -q "\"outcome\":\"launch\"" failed.history'
check 'and are listed' '"$anole" best --failures failed.history >out 2>err &&
    grep -q "recorded: the output was wrong" out &&
    grep -q "recorded: .* took too long" out'
cut -c 1-400 own.T4.json | head -n 5 >cut.T4.json
export ANOLE_REPLAY="$t1:$folder/cut.T4.json"
check 'a cut file is no device, and is named' \
    '! "$anole" tune --kernel "$t1" --device replay --trials 2 >out 2>err && grep -q "cut.T4.json:" err'
exit $failed
