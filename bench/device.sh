#!/bin/sh
# SPDX-License-Identifier: MIT
#
# One explorer against another on a real device: each tunes single layers of a network,
# each time from an empty history, and the kernels that they end with are timed in turn.
#
# bench/device.sh [FOLDER] [OPTION]...
#
#   --device D      as for `anole tune`, default cpu:0
#   --threads N     of a CPU device, default 2
#   --network FILE  default resnet18 of networks/
#   --layers L,...  first layers of tasks, see `anole tasks`; none with a residual.
#                   Default conv2_1_1,conv3_1_1,conv4_2_1
#   --trials N      of each run, default 400
#   --seeds N       runs of each explorer and layer, default 5
#   --explorers R,E the reference and its challenger, default autotvm,rl
#   --race T        for timing one layer's final kernels in turn, default 20s
#
# The table says after how many trials and how many seconds the challenger was where the
# reference ended.  All else is equal: the same build workers, the same limits, and both
# begin with the default config and a few others.  AutoTVM's batches of 64 and its
# sampler are as published; on a CPU, builds and timings take turns for both.
#
# Everything is kept in FOLDER (default device-bench).  A run that is complete there is
# not made again, so that the same command goes on where it stood; more seeds may be
# asked for later.  Seeds come one after the other, each with all layers: what an
# interrupted bench leaves is balanced, and is what the table then shows:
#
#   python3 bench/device_table.py table FOLDER [--within 2]
#
# A run of 400 trials takes some four minutes on two cores, most of it for building: five
# seeds take two hours, two seeds 45 minutes.  Run it in the build folder, after make
# bench, on a machine that does nothing else.
set -eu

top=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
device=cpu:0 threads=2 network=$top/networks/resnet18.json layers=conv2_1_1,conv3_1_1,conv4_2_1
trials=400 seeds=5 explorers=autotvm,rl race=20s folder=device-bench
while [ $# -gt 0 ]; do
    case $1 in
    --device) device=$2 && shift 2 ;;
    --threads) threads=$2 && shift 2 ;;
    --network) network=$2 && shift 2 ;;
    --layers) layers=$2 && shift 2 ;;
    --trials) trials=$2 && shift 2 ;;
    --seeds) seeds=$2 && shift 2 ;;
    --explorers) explorers=$2 && shift 2 ;;
    --race) race=$2 && shift 2 ;;
    -*) sed -n '3,33s/^# \{0,1\}//p' "$0" >&2 && exit 2 ;;
    *) folder=$1 && shift ;;
    esac
done
anole=${ANOLE:-./anole}
racer=${ANOLE_BENCH_RACE:-bench/anole-bench-race}
table="${PYTHON:-python3} $top/bench/device_table.py"
mkdir -p "$folder"
"$anole" tasks "$network" --json >"$folder/tasks.json"
layer_list=$(echo "$layers" | tr , ' ')
explorer_list=$(echo "$explorers" | tr , ' ')
for layer in $layer_list; do
    $table network "$folder/tasks.json" "$layer" >"$folder/$layer.json"
done

# tune LAYER EXPLORER SEED: a run from an empty history; its lock file comes last.
tune() {
    run=$folder/$1-$2-$3
    [ ! -e "$run.lock.json" ] || return 0
    rm -f "$run.history" "$run.new"
    echo "== $1, $2, seed $3" >&2
    date +%s.%N >"$run.began"
    "$anole" tune "$folder/$1.json" --device "$device" --threads "$threads" --trials "$trials" \
        --explorer "$2" --seed "$3" --history "$run.history" --output "$run.new" >"$run.txt"
    date +%s.%N >"$run.ended"
    mv "$run.new" "$run.lock.json"
    rm -f "$folder/$1.race"
}

seed=1
while [ "$seed" -le "$seeds" ]; do
    # Who is first changes from seed to seed, for a machine may slow down with time.
    for layer in $layer_list; do
        for explorer in $explorer_list; do
            tune "$layer" "$explorer" "$seed"
        done
    done
    explorer_list=$(echo "$explorer_list" | awk '{ for (i = NF; i > 0; i--) printf "%s ", $i }')
    seed=$((seed + 1))
done
for layer in $layer_list; do
    [ -e "$folder/$layer.race" ] && continue
    echo "== $layer: what was found, in turn" >&2
    "$racer" --device "$device" --threads "$threads" --seconds "$race" \
        "$folder/$layer"-*-*.lock.json >"$folder/$layer.race.new"
    mv "$folder/$layer.race.new" "$folder/$layer.race"
done
$table table "$folder" --explorers "$explorers" | tee "$folder/table.txt"
