#!/bin/sh
# SPDX-License-Identifier: MIT
#
# queues.sh NETWORK [LOCK]: what a run of a network takes, by the way that the backend cpu makes
# launches (docs/library.md): in a program of ours and by the library, with queues of our own;
# by the library, with the driver's pool, and with queues on sub-devices.  One process a figure,
# the ways in turn, $ROUNDS rounds (default 7); the median of the rounds' medians, milliseconds.
#
# In the build folder, after `make all examples/run/run`, on PoCL, and on a machine that does
# nothing else.  All cores are used; `taskset` gives fewer.
set -eu
: "${ROUNDS:=7}" "${DEVICE:=cpu}"
[ $# -ge 1 ] && [ $# -le 2 ] && [ -x ./anole ] && [ -x examples/run/run ] || {
    sed -n '4,10s/^# \{0,1\}//p' "$0" >&2
    exit 2
}
export ANOLE_PLUGIN_PATH="${ANOLE_PLUGIN_PATH:-$PWD/plugins/.libs}" ANOLE_WORKER="$PWD/anole-worker"
folder=$(mktemp -d "${TMPDIR:-/tmp}/anole-queues-XXXXXX")
trap 'rm -rf "$folder"' EXIT
both='cpu pthread tbb cpu-tbb cpu-minimal basic'

library() {
    examples/run/run "$1" "$DEVICE" ${2:+"$2"} | sed -n 's/.*; \([0-9.]*\) ms$/\1/p'
}
once() {
    way=$1
    shift
    case $way in
    ours-own)
        ./anole run "$1" --device "$DEVICE" ${2:+--tuned "$2"} --repeat 10 --json 2>/dev/null |
            tr -d ' \n' | sed 's/.*"latency_seconds":{[^}]*"median":\([0-9.e+-]*\).*/\1/' |
            awk '{ print 1e3 * $1 }'
        ;;
    library-own) POCL_DEVICES=$both ANOLE_CPU_QUEUES=own library "$@" ;;
    library-pool) library "$@" ;;
    library-parts) ANOLE_CPU_QUEUES=parts library "$@" ;;
    esac
}

ways='ours-own library-own library-pool library-parts'
for way in $ways; do
    once "$way" "$@" >/dev/null # compiles
done
for round in $(seq "$ROUNDS"); do
    for way in $ways; do
        once "$way" "$@" >>"$folder/$way"
    done
done
for way in $ways; do
    sort -g "$folder/$way" | awk -v way="$way" '
        { t[NR] = $1 }
        END { printf "%-14s %10.3f ms  (%.3f to %.3f)\n", way, t[int((NR + 1) / 2)], t[1], t[NR] }'
done
