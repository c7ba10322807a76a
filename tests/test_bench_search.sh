#!/bin/sh
# SPDX-License-Identifier: MIT
#
# anole-bench-search from outside: options, exit codes, what goes where.
set -eu
bench=${ANOLE_BENCH_SEARCH:-bench/anole-bench-search}
data=${ANOLE_TEST_DATA:-tests/data}/spaces
folder=$(mktemp -d "${TMPDIR:-/tmp}/anole-test-XXXXXX")
trap 'rm -rf "$folder"' EXIT
failures=0

# check WORDS STATUS OUT ERR ARGUMENT...: runs, and looks for OUT on stdout and for
# ERR on stderr ("": for nothing).
check() {
    words=$1 status=$2 out=$3 err=$4
    shift 4
    found=0
    "$bench" "$@" >"$folder/out" 2>"$folder/err" </dev/null || found=$?
    if [ "$found" != "$status" ] || ! grep -q -e "$out" "$folder/out" ||
        { [ -n "$err" ] && ! grep -q -e "$err" "$folder/err"; }; then
        echo "FAIL: $words: exit $found, expected $status, \"$out\" on stdout, \"$err\" on stderr"
        sed 's/^/  out: /' "$folder/out" | head -n 20
        sed 's/^/  err: /' "$folder/err" | head -n 20
        failures=$((failures + 1))
    fi
}
small="-e random,local -r 2 -n 20"

# check_usage WORDS ERR ARGUMENT...: refused, with nothing on stdout.
check_usage() {
    words=$1 err=$2
    shift 2
    found=0
    "$bench" "$@" >"$folder/out" 2>"$folder/err" </dev/null || found=$?
    if [ "$found" != 2 ] || [ -s "$folder/out" ] || ! grep -q -e "$err" "$folder/err"; then
        echo "FAIL: $words: exit $found, expected 2, \"$err\" on stderr and nothing on stdout"
        cat "$folder/err"
        failures=$((failures + 1))
    fi
}

check_usage "no space" "expected a space"
check_usage "unknown option" "unknown option" --nonsense
check_usage "unknown explorer" "annealing" "$data" -e anealing
check_usage "unknown sampler" "sampler" "$data" -e rl+nonsense
check_usage "no number" "trials" "$data" -n many
check_usage "no such file" "there is no such\|No such" --space "$folder/nothing" --t1 "$data/bowl/T1.json"
check_usage "no results in a folder" "found none" "$folder"
check_usage "a T1 file for results" "found none of them" --space "$data/bowl/T1.json"
check_usage "nothing to learn from" "+transfer" "$data" -e rl+transfer
check_usage "a stranger to equal" "--equal" "$data" -e random --equal rl
printf '{"results": [' >"$folder/cut.T4.json"
check_usage "a cut file" "cut.T4.json:1: the file ends here" --space "$folder/cut.T4.json" --t1 "$data/bowl/T1.json"

# shellcheck disable=SC2086 # several words
check "a table" 0 "^local " "bowl near: 3872 configs (141 failed)" "$data" $small
# shellcheck disable=SC2086
"$bench" "$data" $small -q >"$folder/one"
# shellcheck disable=SC2086
"$bench" "$data" $small -q -j 1 >"$folder/two"
sed '/ms a batch/,$d' "$folder/one" >"$folder/one.figures"
sed '/ms a batch/,$d' "$folder/two" >"$folder/two.figures"
cmp "$folder/one.figures" "$folder/two.figures" || {
    echo "FAIL: the same seeds gave other figures with another number of processes"
    failures=$((failures + 1))
}
# shellcheck disable=SC2086
check "json and a plot" 0 '"trials_to_equal"' 'bowl' --space "$data/bowl/near.T4.json.gz" \
    --t1 "$data/bowl/T1.json" --space "$data/bowl/odd.T4.json.gz" $small --json --svg "$folder/a.svg"
grep -q "</svg>" "$folder/a.svg" || { echo "FAIL: no plot"; failures=$((failures + 1)); }
if command -v python3 >/dev/null; then
    python3 - "$folder" <<'P' || failures=$((failures + 1))
import json, sys, xml.dom.minidom
xml.dom.minidom.parse(sys.argv[1] + "/a.svg")
data = json.load(open(sys.argv[1] + "/out"))
assert [s["space"] for s in data["spaces"]] == ["bowl near", "bowl odd"], data["spaces"]
assert [e["explorer"] for e in data["explorers"]] == ["random", "local"]
excess = data["explorers"][0]["excess"]["20"]
assert excess["low"] <= excess["percent"] <= excess["high"]
P
fi
check "logs to learn from" 0 "^rl+top+transfer:8 " "far" --space "$data/bowl/far.T4.json.gz" -e rl,rl+top+transfer:8 -r 1 -n 24 \
    --transfer "$data/bowl/near.T4.json.gz" --transfer-trials 30
check "figures beside the tables" 0 "^random " "" --space "$data/bowl/far.T4.json.gz" -e random -r 1 \
    -n 20 --own-time --figures "$folder/figures.json"
grep -q '"search_seconds"' "$folder/figures.json" ||
    { echo "FAIL: no figures"; failures=$((failures + 1)); }
check "help" 0 "^Usage: anole-bench-search" "" --help
[ "$failures" = 0 ] || exit 1
echo "test_bench_search: all as expected"
