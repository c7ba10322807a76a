#!/bin/sh
# SPDX-License-Identifier: MIT
#
# anole-bench-kernels on a tiny network: every implementation runs and is right, the
# tables and the JSON hold what they should.  No time is judged.
set -u
bench=${ANOLE_BENCH_KERNELS:-bench/anole-bench-kernels}
case $bench in /*) ;; *) bench=$PWD/$bench ;; esac
paid_py=$(cd "${srcdir:-.}" && pwd)/bench/paid.py
. "${srcdir:-.}/tests/script.sh"
program=$bench

# count NUMBER PATTERN FILE
count() {
    found=$(grep -c -e "$2" "$3")
    if [ "$found" -ne "$1" ]; then
        echo "FAIL: expected '$2' $1 times, found it $found times"
        failed=1
    fi
}

tiny=$networks/tiny.json
expect 0 'Usage: anole-bench-kernels' --help
expect 2 'nothing says which' --network "$tiny" --threads 1
expect 2 'no-such.json' --network ./no-such.json --threads 1 --default
expect 2 'no-such.lock' --network "$tiny" --threads 1 --lock no-such.lock
expect 3 'no-such' --network "$tiny" --threads 1 --default --device no-such

# Is there a device at all, and oneDNN?
"$program" --network "$tiny" --threads 1 --default --rounds 2 --only dense >out 2>err
case $? in
0) ;;
3)
    echo "SKIP: no device here: $(tail -n 1 err)"
    exit $((failed ? 1 : 77))
    ;;
*)
    echo "FAIL: one layer:"
    sed 's/^/    /' err | tail -n 5
    exit 1
    ;;
esac
count 1 '^dense 32>10' out

against= rivals=0
if "$program" --network "$tiny" --threads 1 --default --rounds 2 --only dense --against onednn \
    >out 2>err; then
    against='--against onednn' rivals=6
else
    expect 2 'libdnnl-dev' --network "$tiny" --threads 1 --default --against onednn
fi

# What oneDNN is not told of is refused by its name, and is no convolution.
if [ "$rivals" -gt 0 ]; then
    cat >up.json <<'JSON'
{"name": "up", "layers": [{"name": "x", "kind": "input", "shape": [1, 4, 4, 8]},
    {"name": "up", "kind": "conv_transpose2d", "channels": 8, "kernel": 2, "stride": 2}]}
JSON
    expect 2 'against onednn.* found a conv_transpose2d' --network up.json \
        --threads 1 --default --rounds 2 --against onednn
fi

# shellcheck disable=SC2086 # none, or two words
expect 0 'peak .* GFLOP/s' --network "$tiny" --threads 1 --default --rounds 3 $against \
    --output all.json
count 1 '^tiny: 5 distinct convolutions, 1 dense' out
count 6 '"multiplicity": 1' all.json
count 6 '"name": "default"' all.json
count $((1 + (rivals > 0))) '"class": "depthwise",' all.json
count $((rivals > 0)) 'all convolutions  *5 ' out
count "$rivals" '"rival": "onednn' all.json
expect 0 '"name": "set"' --network "$tiny" --threads 1 --rounds 2 --only depthwise --json \
    --set tile_h=1,loop_order=tiles-inside
count 1 'tile_h=1 .* loop_order=tiles-inside' out
expect 2 'no value .99999' --network "$tiny" --threads 1 --only depthwise --set tile_h=99999
expect 2 'no knob .no_such' --network "$tiny" --threads 1 --only depthwise --set no_such=1
expect 0 'wall_seconds' --network "$tiny" --threads 1 --default --rounds 2 --json --only depthwise \
    --idle-poll
count 1 '"idle_poll": true' out
# The A/A test, with weights as cold as in a network that is larger than the caches.
expect 0 '"name": "again"' --network "$networks/resnet18.json" --threads 1 --default --rounds 2 \
    --json --only dense --timing cold --twice
count 1 '"timing": "cold"' out
expect 2 'expected hot or cold' --network "$tiny" --threads 1 --default --timing warm
# The same for the places within the core.
aa=${program%kernels}aa
if [ -x "$aa" ]; then
    "$aa" --threads 1 --seconds 0.05 --only dense "$tiny" >out 2>err || {
        echo "FAIL: anole-bench-aa: $(tail -n 1 err)"
        failed=1
    }
    count 4 '^tiny.dense 32>10.[a-z]*.hot' out
fi
# Ways of timing against a running network.
cold=${program%kernels}cold
if [ -x "$cold" ]; then
    "$cold" --threads 1 --layers 1 --configs 2 --runs 3 --constants 100000000 "$tiny" >out 2>err || {
        echo "FAIL: anole-bench-cold: $(tail -n 1 err)"
        failed=1
    }
    count 2 '^tiny.conv' out
    count 3 '^# tiny.conv.*rank' out
    count 3 '^# tiny.1 layers.*rank' out
    # Without time: a config a layer.
    "$cold" --threads 1 --layers 2 --configs 5 --time 0.01s --runs 1 --constants 1000000 "$tiny" \
        >out 2>err
    count 2 '^tiny.' out
fi
# The rows that are read off what tuning left.
if command -v python3 >/dev/null; then
    mkdir -p paid
    for how in now before; do
        touch paid/tiny.$how.lock.json
        echo '0:03, 0:00 left  searching  9 trials  fc: best; network 12.0 us -> 9.50 us (1.3x); ok' \
            >paid/tiny.$how.err
        echo '{"trials": 90, "seconds": 1e-5, "time": {"elapsed": 10.0, "in_place": 0.0}}' \
            >paid/tiny.$how.out
    done
    echo '{"trials": 81, "seconds": 1e-5, "time": {"elapsed": 10.0, "in_place": 1.0}}' \
        >paid/tiny.now.out
    program=python3
    paid=$paid_py
    expect 0 'as now over hot | 0.900 (tiny 81 / 90); .* in place 1.000 | 0.95' \
        "$paid" --networks tiny --rows progress,cost paid
    count 2 "final table's, tuned as .* tiny 0.950 " out
    expect 2 "no row 'none'" "$paid" --rows none paid
    # A row that fails is said to have, and the others go on.
    echo '{"seconds": 1e-5}' >paid/tiny.before.out
    expect 1 "paid.py: 1 of 2 rows failed: cost" "$paid" --networks tiny --rows cost,progress paid
    count 1 '^| cost | failed |  |$' out
    expect 1 'paid.py: 3 of 3 rows failed: rank, aa, queues' \
        "$paid" --networks none --rows rank,aa,queues paid
    count 3 '^| [a-z]* | failed |  |$' out
fi
# What a launch costs: three ways, four works each.
launch=${program%kernels}launch
if [ -x "$launch" ]; then
    "$launch" 1 >out 2>err || {
        echo "FAIL: anole-bench-launch: $(tail -n 1 err)"
        failed=1
    }
    count 12 '^[a-z]*  *[0-9]* us of work  *[0-9.]* us \[.*beyond the work' out
fi
exit $failed
