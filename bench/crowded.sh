#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What a busy core does to kernels on the own queues: a layer of ResNet-18 alone, and beside a
# process that keeps one of the two cores busy.  Two cores less a half are the best that can be
# had, and with each launch waiting for its slower half, twice the time.
#
# bench/crowded.sh [LAYER [ROUNDS]]    default: "64>64 @56x56 relu" 25
#
# Prints microseconds of a run alone and beside the other, and their ratio.  Run it in the build
# folder, after make bench, on a machine that does nothing else.
set -eu

layer=${1:-64>64 @56x56 relu} rounds=${2:-25}
networks=${ANOLE_NETWORKS:-$(dirname "$0")/../networks}
folder=$(mktemp -d)
hog=''
trap '[ -z "$hog" ] || kill "$hog"; rm -rf "$folder"' EXIT

race() { # OUTPUT
    ANOLE_CPU_QUEUES=own bench/anole-bench-kernels --network "$networks/resnet18.json" --threads 2 \
        --default --only "$layer" --rounds "$rounds" --output "$folder/$1.json" >/dev/null
}

race alone
core=$(taskset -pc $$ | sed 's/.*: *//; s/[-,].*//')
taskset -c "$core" sh -c 'while :; do :; done' &
hog=$!
race beside
kill "$hog"
hog=''
python3 - "$folder/alone.json" "$folder/beside.json" <<'END'
import json
import sys

times = []
for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as file:
        layer = json.load(file)["networks"][0]["layers"][0]
    times.append(1e6 * layer["implementations"][0]["batched_seconds"])
print(f"{layer['label']}: alone {times[0]:.1f} us, beside {times[1]:.1f} us, "
      f"{times[1] / times[0]:.2f} times as long")
END
