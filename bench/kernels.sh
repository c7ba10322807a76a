#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The kernels of four networks against oneDNN's, on one thread and on two: each
# network is tuned from an empty history first.  Both are timed with their weights in the
# caches, and with weights as cold as the network leaves them.
#
# bench/kernels.sh [FOLDER [BUDGET [ROUNDS]]]    default: . 3m 25
#
# Leaves in FOLDER, for N threads: NETWORK-N.lock.json, .history and .txt, of the
# tuning; kernels-N.txt, the tables that are also printed; kernels-N.json, every
# sample; kernels-N-cold.*, the same with cold weights; kernels-N-columns.txt, hot and cold side
# by side; for more than one thread kernels-N-idle-poll.*, hot, with cores that do not
# fall asleep between launches.  Lock files that are there already are used as they
# are: then nothing is tuned.
#
# Run it in the build folder, after make bench, on a machine that does nothing else;
# with 3m, 24 minutes go into tuning.
set -eu

folder=${1:-.} budget=${2:-3m} rounds=${3:-25}
anole=${ANOLE:-./anole}
program=${ANOLE_BENCH_KERNELS:-bench/anole-bench-kernels}
networks=${ANOLE_NETWORKS:-$(dirname "$0")/../networks}
names=${NAMES:-resnet18 vgg16 alexnet mobilenet_v1}

tune() { # NAME THREADS
    lock=$folder/$1-$2.lock.json
    [ ! -e "$lock" ] || return 0
    rm -f "$folder/$1-$2.history"
    "$anole" tune "$networks/$1.json" --device cpu:0 --threads "$2" --time "$budget" \
        --history "$folder/$1-$2.history" --output "$lock" >"$folder/$1-$2.txt"
}

race() { # OUTPUT THREADS OPTION...
    output=$folder/$1 threads=$2
    shift 2
    # Not through a pipe: its exit code would be lost.
    "$program" --network "$list" --threads "$threads" --lock "$locks" --default \
        --against onednn --rounds "$rounds" --output "$output.json" "$@" >"$output.txt"
    cat "$output.txt"
    echo
}

began=$(date +%s)
mkdir -p "$folder"
for threads in ${THREADS:-1 2}; do
    list='' locks=''
    for name in $names; do
        tune "$name" "$threads"
        list="$list${list:+,}$networks/$name.json"
        locks="$locks${locks:+,}$folder/$name-$threads.lock.json"
    done
    race "kernels-$threads" "$threads"
    race "kernels-$threads-cold" "$threads" --timing cold
    python3 "$(dirname "$0")/kernels_columns.py" "$folder/kernels-$threads.json" \
        "$folder/kernels-$threads-cold.json" >"$folder/kernels-$threads-columns.txt"
    cat "$folder/kernels-$threads-columns.txt"
    [ "$threads" = 1 ] || race "kernels-$threads-idle-poll" "$threads" --idle-poll
done
echo "$(($(date +%s) - began)) s in all, with what was tuned ($budget a network and number of threads)"
