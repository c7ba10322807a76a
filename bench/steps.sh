#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What each step of a fused Winograd kernel costs on one thread: the kernel is timed
# as it is, then with one step done twice, which changes no result.
#
#   ../bench/steps.sh NETWORK TEXT [KNOB=VALUE,...]        # in the build folder, after make bench
#
# TEXT and KNOB=VALUE as --only and --set of anole-bench-kernels take them; without
# knobs: default configs.  PoCL only, which takes the flag from its environment.
# Prints a line for each layer: microseconds in all, and of step 1 (the inputs'
# transform), 2 (the products) and 3 (the outputs' transform).  Medians of the least
# third of what was timed: a disturbance makes a run longer, never shorter.  Beside other
# work REPEATS=8 times the four in turn so often, and PART=30 takes the least thirtieth
# of all instead of the least sixth.
set -eu

if [ $# -lt 2 ] || [ $# -gt 3 ]; then
    sed -n '4,8s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
bench=${BENCH_KERNELS:-bench/anole-bench-kernels}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
network=$1 only=$2
if [ $# -eq 3 ]; then set -- --set "$3"; else set -- --default; fi
for repeat in $(seq "${REPEATS:-1}"); do
    for step in 0 1 2 3; do
        POCL_EXTRA_BUILD_FLAGS="-DTWICE=$step" "$bench" --network "$network" --threads 1 \
            --only "$only" --rounds "${ROUNDS:-15}" "$@" --json >"$folder/$step.$repeat" 2>/dev/null
    done
done
python3 - "$folder" <<'END'
import glob, json, os, sys

part = int(os.environ.get("PART", 6))

def times(step):
    samples, peak = {}, 0
    for name in glob.glob(f"{sys.argv[1]}/{step}.*"):
        report = json.load(open(name))
        peak = max(peak, report["peak_flops"])
        for network in report["networks"]:
            for layer in network["layers"]:
                entry = layer["implementations"][0]
                samples.setdefault(layer["label"], []).extend(
                    entry["batched_samples"] + entry["single_samples"])
    return {label: 1e6 * sorted(s)[len(s) // part] for label, s in samples.items()}, peak

(whole, peak), *twice = [times(step) for step in range(4)]
print(f"peak {peak / 1e9:.1f} GFLOP/s; microseconds")
print(f"{'layer':40} {'in all':>8} {'input':>8} {'products':>8} {'output':>8}")
for label, all_of_it in whole.items():
    steps = "".join(f" {t[label] - all_of_it:8.1f}" for t, _ in twice)
    print(f"{label:40} {all_of_it:8.1f}{steps}")
END
