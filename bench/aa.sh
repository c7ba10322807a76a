#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The A/A test: the same kernel twice, in each place where two kernels are held against each
# other, over the layers of some networks.  In 95 of 100 cases the 95 % interval of the ratio
# should hold 1.
#
# bench/aa.sh [FOLDER [SECONDS [ROUNDS]]]    default: . 1.5 25
#
# Leaves in FOLDER, for N threads and timing T (hot, cold): aa-N-T.txt, a line a layer and place;
# aa-kernels-N-T.json, the races of anole-bench-kernels, with oneDNN between the two where it was
# built with it.  Run it in the build folder, after make bench, on a machine that does nothing else.
set -eu

folder=${1:-.} seconds=${2:-1.5} rounds=${3:-25}
here=$(dirname "$0")
networks=${ANOLE_NETWORKS:-$here/../networks}
names=${NAMES:-resnet18 mobilenet_v1}
against='--against onednn'
bench/anole-bench-kernels --network "$networks/tiny.json" --threads 1 --default --only dense \
    --rounds 2 --against onednn >/dev/null 2>&1 || against=''

mkdir -p "$folder"
paths='' list=''
for name in $names; do
    paths="$paths $networks/$name.json"
    list="$list${list:+,}$networks/$name.json"
done
for threads in ${THREADS:-1 2}; do
    for timing in ${TIMINGS:-hot cold}; do
        echo "$threads threads, $timing:"
        # shellcheck disable=SC2086 # a word a network
        bench/anole-bench-aa --threads "$threads" --timing "$timing" --seconds "$seconds" $paths \
            >"$folder/aa-$threads-$timing.txt"
        grep '^#' "$folder/aa-$threads-$timing.txt"
        # shellcheck disable=SC2086 # none, or two words
        bench/anole-bench-kernels --network "$list" --threads "$threads" --timing "$timing" \
            --default --twice --rounds "$rounds" $against \
            --output "$folder/aa-kernels-$threads-$timing.json" >/dev/null
        python3 "$here/aa_kernels.py" "$folder/aa-kernels-$threads-$timing.json"
    done
done
