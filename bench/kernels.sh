#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The kernels of four networks against oneDNN's, on one thread and on two: each
# network is tuned from an empty history first.  Leaves kernels-N.txt, the tables
# that it also prints, and kernels-N.json, every sample, in FOLDER.
#
# bench/kernels.sh [FOLDER [BUDGET [ROUNDS]]]    default: . 3m 25
#
# Run it in the build folder, after make bench, on a machine that does nothing else;
# with 3m it takes half an hour.
set -eu

folder=${1:-.} budget=${2:-3m} rounds=${3:-25}
program=${ANOLE_BENCH_KERNELS:-bench/anole-bench-kernels}
networks=${ANOLE_NETWORKS:-$(dirname "$0")/../networks}
list=
for name in resnet18 vgg16 alexnet mobilenet_v1; do
    list="$list${list:+,}$networks/$name.json"
done

began=$(date +%s)
mkdir -p "$folder"
for threads in ${THREADS:-1 2}; do
    # Not through a pipe: its exit code would be lost.
    "$program" --network "$list" --threads "$threads" --time "$budget" --default \
        --against onednn --rounds "$rounds" --output "$folder/kernels-$threads.json" \
        >"$folder/kernels-$threads.txt"
    cat "$folder/kernels-$threads.txt"
    echo
done
echo "$(($(date +%s) - began)) s in all, tuning included ($budget a network and number of threads)"
