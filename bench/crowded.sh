#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What a busy core does to kernels on the own queues: a layer of ResNet-18 alone, and beside a
# process that keeps one of the two cores busy.  Two cores less a half are the best that can be
# had, and with each launch waiting for its slower half, twice the time.
#
# bench/crowded.sh [LAYER [ROUNDS [TURNS]]]    default: "64>64 @56x56 relu" 10 7
#
# Prints microseconds of a run alone and beside the other, medians of TURNS processes, their ratio
# with its 95 % interval, and the same over the ideal 2.  Run it in the build folder, after make
# bench, on a machine that does nothing else.
set -eu

layer=${1:-64>64 @56x56 relu} rounds=${2:-10} turns=${3:-7}
here=$(dirname "$0")
networks=${ANOLE_NETWORKS:-$here/../networks}
folder=$(mktemp -d)
hog=''
trap 'exit 1' INT TERM
trap '[ -z "$hog" ] || kill "$hog"; rm -rf "$folder"' EXIT

race() { # OUTPUT
    ANOLE_CPU_QUEUES=own bench/anole-bench-kernels --network "$networks/resnet18.json" --threads 2 \
        --default --only "$layer" --rounds "$rounds" --output "$folder/$1.json" >/dev/null
}

core=$(taskset -pc $$ | sed 's/.*: *//; s/[-,].*//')
for turn in $(seq "$turns"); do
    race "alone-$turn"
    taskset -c "$core" sh -c 'while :; do :; done' &
    hog=$!
    race "beside-$turn"
    kill "$hog"
    wait "$hog" 2>/dev/null || true
    hog=''
done
PYTHONPATH=$here PYTHONDONTWRITEBYTECODE=1 python3 - "$folder" "$turns" <<'END'
import json
import statistics
import sys

from aa_kernels import interval

times = {"alone": [], "beside": []}
for how, found in times.items():
    for turn in range(1, int(sys.argv[2]) + 1):
        with open(f"{sys.argv[1]}/{how}-{turn}.json", encoding="utf-8") as file:
            layer = json.load(file)["networks"][0]["layers"][0]
        found.append(1e6 * layer["implementations"][0]["batched_seconds"])
alone, beside = times.values()
ratio, low, high = interval([b / a for a, b in zip(alone, beside)])
print(f"{layer['label']}: alone {statistics.median(alone):.1f} us, beside "
      f"{statistics.median(beside):.1f} us, {ratio:.2f} [{low:.2f}, {high:.2f}] times as long, "
      f"{ratio / 2:.2f} [{low / 2:.2f}, {high / 2:.2f}] of the ideal 2")
END
