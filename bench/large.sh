#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Makes bench/large/*.trials anew: tunes ResNet-18 on this machine's CPU from
# nothing, for an hour, and takes the trials of six of its layers out of the history.
# Run it in the build folder, after make bench, on a machine that does nothing else.
#
# bench/large.sh FOLDER [BUDGET [HISTORY...]]    default: 1h; further histories are added
set -eu

folder=$1 budget=${2:-1h}
[ $# -lt 2 ] && shift || shift 2
anole=${ANOLE:-./anole}
collect=${ANOLE_BENCH_COLLECT:-bench/anole-bench-collect}
networks=${ANOLE_NETWORKS:-$(dirname "$0")/../networks}
mkdir -p "$folder"

if [ "$budget" != 0 ]; then
    "$anole" tune "$networks/resnet18.json" --device cpu --time "$budget" \
        --history "$folder/resnet18.history" --output "$folder/resnet18.lock.json"
    set -- "$folder/resnet18.history" "$@"
fi

take() { # NAME KEY HISTORY...
    name=$1 key=$2
    shift 2
    "$collect" --task "$key" --device cpu "$@" >"$folder/$name.trials"
    printf '%s: %s trials\n' "$name" "$(grep -c '^trial ' "$folder/$name.trials")"
}
take conv224_7x7_s2 'conv2d n1 224x224x3 k7x7 s2x2 p3,3,3,3 d1x1 g1 o64 f32 bias relu' "$@"
take conv56_3x3_s2 'conv2d n1 56x56x64 k3x3 s2x2 p1,1,1,1 d1x1 g1 o128 f32 bias relu' "$@"
take conv56_3x3 'conv2d n1 56x56x64 k3x3 s1x1 p1,1,1,1 d1x1 g1 o64 f32 bias residual relu' "$@"
take conv28_3x3 'conv2d n1 28x28x128 k3x3 s1x1 p1,1,1,1 d1x1 g1 o128 f32 bias residual relu' "$@"
take conv14_3x3 'conv2d n1 14x14x256 k3x3 s1x1 p1,1,1,1 d1x1 g1 o256 f32 bias residual relu' "$@"
take conv7_3x3 'conv2d n1 7x7x512 k3x3 s1x1 p1,1,1,1 d1x1 g1 o512 f32 bias residual relu' "$@"
