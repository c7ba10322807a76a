#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A visit to a GPU: builds, checks every template of the gpu backend on it, tunes
# networks, and holds each layer against CLBlast and against cuDNN, with TF32 off and
# on, in turn.  Where the device's tensor cores can be had, networks are tuned twice: in
# fp32, and with TF32 allowed, which is then held against cuDNN with TF32 on.
#
# bench/gpu.sh [--device D] [--time T] [--rounds N] [--trials N] [--out FOLDER] [NETWORK...]
#
#   --device D    as for `anole tune`, default gpu
#   --time T      for tuning one network in one precision, default 5m
#   --rounds N    times that everybody is timed, default 7
#   --trials N    configs of each template that are checked, default 5
#   --out FOLDER  default gpu-bench; lock files that are there already are used as they
#                 are, and nothing is tuned
#   NETWORK       of networks/, default: resnet18 vgg16
#
# Peers that are not there are left out, and the table says so: CLBlast (package
# libclblast-dev), cuDNN by a Python that has PyTorch with CUDA.  Leaves in FOLDER
# everything that was said, and table.txt.  ANOLE_BUILD: the build folder, default
# build; it is made if it is not there.
set -eu

device=gpu budget=5m rounds=7 trials=5 out=gpu-bench networks=
while [ $# -gt 0 ]; do
    case $1 in
    --device) device=$2 && shift 2 ;;
    --time) budget=$2 && shift 2 ;;
    --rounds) rounds=$2 && shift 2 ;;
    --trials) trials=$2 && shift 2 ;;
    --out) out=$2 && shift 2 ;;
    -*) sed -n '3,25s/^# \{0,1\}//p' "$0" >&2 && exit 2 ;;
    *) networks="$networks $1" && shift ;;
    esac
done
networks=${networks:-resnet18 vgg16}
top=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
build=${ANOLE_BUILD:-$top/build}
python=${PYTHON:-python3}
mkdir -p "$out"

say() { printf '== %s\n' "$*"; }

# ------------------------------------------------------------------- build
if [ ! -x "$build/anole" ]; then
    say "building in $build"
    "$top/bootstrap" build
fi
make -C "$build" tests/kernel_trials >"$out/build.log" 2>&1 || {
    tail -n 20 "$out/build.log"
    exit 1
}
anole=$build/anole
export ANOLE_WORKER="$build/anole-worker" ANOLE_PLUGIN_PATH="$build/plugins/.libs" ANOLE_PLUGIN_DIR=

# ------------------------------------------------------------------ device
"$anole" devices --json >"$out/devices.json" || true
"$anole" tasks "$top/networks/tiny.json" --device "$device" >"$out/tasks.txt" || exit $?
say "tuning on:"
"$anole" devices | sed -n '/^gpu:/,/^[^ g]/p' | tee "$out/device.txt"

# ------------------------------------------------------------------- check
# Each driver in turn, and of those only what the backend takes for a GPU.
checked=
for icd in ${ANOLE_TEST_DRIVER:-/etc/OpenCL/vendors/*.icd}; do
    [ -e "$icd" ] || continue
    for precision in fp32 fp16; do
        say "every template on $icd in $precision, $trials configs each"
        ANOLE_TEST_DRIVER=$icd ANOLE_GPU_ANY_DEVICE=${ANOLE_GPU_ANY_DEVICE:-0} \
            "$build/tests/kernel_trials" --backend gpu --precision "$precision" \
            --trials "$trials" --jobs 1 2>&1 | tee -a "$out/check.txt" || :
    done
    checked=yes
done
[ -n "$checked" ] || say "no driver: nothing was checked"
if grep -q ' [1-9][0-9]* failed' "$out/check.txt" 2>/dev/null; then
    say "some templates are wrong or refused here: see $out/check.txt"
fi

# -------------------------------------------------------------------- tune
tensor=$("$python" "$top/bench/gpu_table.py" tensor "$out" "$device") || tensor=
[ -n "$tensor" ] || say "no tensor cores that this OpenCL offers: in fp32 alone"

# tune NETWORK PRECISION NAME
tune() {
    lock=$out/$3.lock.json
    [ ! -e "$lock" ] || return 0
    say "$1 in $2, $budget"
    "$anole" tune "$top/networks/$1.json" --precision "$2" --device "$device" --time "$budget" \
        --history "$out/$3.history" --output "$lock" | tee "$out/$3.txt"
}

for network in $networks; do
    tune "$network" fp32 "$network"
    [ -z "$tensor" ] || tune "$network" tf32 "$network.tf32"
done

# ------------------------------------------------------------------- peers
clblast=
if command -v pkg-config >/dev/null && pkg-config --exists clblast 2>/dev/null; then
    # shellcheck disable=SC2046 # flags are words
    if ${CC:-cc} -O2 -o "$out/gpu_clblast" "$top/bench/gpu_clblast.c" \
        $(pkg-config --cflags --libs clblast) -lOpenCL -lm 2>"$out/clblast.log"; then
        clblast=$out/gpu_clblast
    fi
fi
[ -n "$clblast" ] || say "no CLBlast here (package libclblast-dev): left out"
torch=
if "$python" "$top/bench/gpu_torch.py" --probe >"$out/torch.txt" 2>&1; then
    torch=yes
else
    say "no cuDNN here ($(tail -n 1 "$out/torch.txt")): left out"
fi

# -------------------------------------------------------------------- race
name=$("$python" "$top/bench/gpu_table.py" name "$out" "$device") || name=
for network in $networks; do
    "$python" "$top/bench/gpu_table.py" keys "$out/$network.lock.json" >"$out/$network.keys"
    round=1
    while [ "$round" -le "$rounds" ]; do
        say "$network, round $round of $rounds"
        base=$out/$network-$round
        "$anole" verify "$out/$network.lock.json" --device "$device" --json \
            >"$base-anole.json" 2>"$base-anole.err" || true
        if [ -n "$tensor" ]; then
            "$anole" verify "$out/$network.tf32.lock.json" --precision tf32 --device "$device" \
                --json >"$base-anole-tf32.json" 2>"$base-anole-tf32.err" || true
        fi
        if [ -n "$clblast" ]; then
            "$clblast" "$name" <"$out/$network.keys" >"$base-clblast.txt" || clblast=
        fi
        if [ -n "$torch" ]; then
            "$python" "$top/bench/gpu_torch.py" <"$out/$network.keys" >"$base-cudnn.txt"
            "$python" "$top/bench/gpu_torch.py" --tf32 <"$out/$network.keys" >"$base-tf32.txt"
        fi
        round=$((round + 1))
    done
done
"$python" "$top/bench/gpu_table.py" table "$out" "$device" $networks | tee "$out/table.txt"
