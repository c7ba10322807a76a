#!/bin/sh
# SPDX-License-Identifier: MIT
#
# How much of what a long run finds does a short one find?  Tunes a network twice
# from nothing, with either budget, then lets `anole verify` time what each found,
# in turn, several times: the ratio of the medians is the answer.
#
# bench/budget.sh NETWORK SHORT LONG [ROUNDS]    e.g. networks/resnet18.json 3m 1h 5
set -eu

anole=${ANOLE:-anole}
network=$1 short=$2 long=$3 rounds=${4:-5}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

tune() { # NAME BUDGET
    "$anole" tune "$network" --device cpu --time "$2" --history "$folder/$1.history" \
        --output "$folder/$1.lock.json"
}

seconds() { # NAME: the network's time by what was found, now
    "$anole" verify "$folder/$1.lock.json" --device cpu --json 2>"$folder/err" |
        sed -n 's/^ *"network_seconds": *\([0-9.e+-]*\),*/\1/p'
}

echo "== $short"
tune short "$short"
echo "== $long"
tune long "$long"
echo "== verified in turn, ms"
i=0
while [ "$i" -lt "$rounds" ]; do
    a=$(seconds short) b=$(seconds long)
    echo "$a $b" >>"$folder/pairs"
    echo "$a $b" | awk '{ printf "%.3f %.3f  ratio %.3f\n", 1e3 * $1, 1e3 * $2, $1 / $2 }'
    i=$((i + 1))
done
awk '{ print $1 / $2 }' "$folder/pairs" | sort -n |
    awk '{ r[NR] = $1 } END { printf "median ratio %.3f (%.3f to %.3f)\n", r[int((NR + 1) / 2)], r[1], r[NR] }'
