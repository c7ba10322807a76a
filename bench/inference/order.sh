#!/bin/sh
# SPDX-License-Identifier: MIT
#
# order.sh NETWORK [LOCK]: what the engine adds to a network's kernels.  `anole export` writes the
# network as a program of plain OpenCL, which enqueues the same kernels in the same order with
# nothing between them; it and `anole run` take turns, $ROUNDS rounds (default 9), $REPEAT runs each
# (default 20).  Prints the medians, and of the rounds' ratios to that program the median and the
# least and most: for `anole run` on the driver's threads, as that program runs, and on queues of
# its own.
#
# In the build folder, on PoCL, on a machine that does nothing else.  THREADS=1 (default 2).
set -eu
: "${ROUNDS:=9}" "${REPEAT:=20}" "${DEVICE:=cpu}" "${THREADS:=2}"
[ $# -ge 1 ] && [ $# -le 2 ] && [ -x ./anole ] || {
    sed -n '4,11s/^# \{0,1\}//p' "$0" >&2
    exit 2
}
folder=$(mktemp -d "${TMPDIR:-/tmp}/anole-order-XXXXXX")
trap 'rm -rf "$folder"' EXIT
network=$1 lock=${2:-}

./anole export "$network" --device "$DEVICE" ${lock:+--tuned "$lock"} --output "$folder/network" \
    >/dev/null 2>&1
make -s -C "$folder/network"

# Random inputs; outputs go nowhere.
files=
"$folder/network/network" 2>"$folder/usage" || true
index=0
for bytes in $(sed -n 's/^  input .*, \([0-9]*\) bytes$/\1/p' "$folder/usage"); do
    # Floats of random bits could be anything; these are in [0.5, 1).
    LC_ALL=C awk -v n="$((bytes / 4))" 'BEGIN { srand(1); for (i = 0; i < n; i++)
        printf "%c%c%c%c", 1 + int(rand() * 120), 1 + int(rand() * 120), 1 + int(rand() * 120), 63 }' \
        >"$folder/input$index"
    files="$files $folder/input$index"
    index=$((index + 1))
done
for _ in $(sed -n '/^  output /p' "$folder/usage" | sed 's/.*/x/'); do
    files="$files $folder/output$index"
    index=$((index + 1))
done

ours() {
    ANOLE_CPU_QUEUES=$1 ./anole run "$network" --device "$DEVICE" --threads "$THREADS" \
        ${lock:+--tuned "$lock"} --repeat "$REPEAT" --json 2>/dev/null | tr -d ' \n' |
        sed 's/.*"latency_seconds":{[^}]*"median":\([0-9.e+-]*\).*/\1/' | awk '{ print 1e3 * $1 }'
}
plain() {
    # shellcheck disable=SC2086 # files whose names are made above
    POCL_MAX_PTHREAD_COUNT=$THREADS POCL_AFFINITY=1 "$folder/network/network" -f "$folder/network" \
        -n "$REPEAT" $files | sed 's/ ms,.*//'
}

ours pool >/dev/null # compile
ours own >/dev/null
plain >/dev/null
for _ in $(seq "$ROUNDS"); do
    p=$(plain) a=$(ours pool) o=$(ours own)
    echo "$p $a $o"
done >"$folder/rounds"

column() {
    awk "{ print $1 }" "$folder/rounds" | sort -g |
        awk '{ t[NR] = $1 } END { printf "%.3f (%.3f to %.3f)", t[int((NR + 1) / 2)], t[1], t[NR] }'
}
printf '%-36s %s ms\n' 'the kernels in order, plain OpenCL' "$(column '$1')"
printf '%-36s %s ms, of that time %s\n' "anole run, the driver's threads" "$(column '$2')" "$(column '$2 / $1')"
printf '%-36s %s ms, of that time %s\n' 'anole run, queues of its own' "$(column '$3')" "$(column '$3 / $1')"
