#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The gpu backend from end to end, on PoCL instead of a GPU: found only when asked
# for, tuned, verified, and beside the cpu backend in one lock file.  One line a
# case; exits 1 if one failed.
set -u
. "${srcdir:-.}/tests/script.sh"
program=$anole

need_pocl
# No other driver, so that ids are the same everywhere.
export OCL_ICD_VENDORS="$pocl" OCL_ICD_FILENAMES=

lacks() {
    if grep -q -e "$1" out err; then
        echo "FAIL: expected no '$1'"
        failed=1
    else
        echo "ok: no $1"
    fi
}

unset ANOLE_GPU_ANY_DEVICE
expect 0 'backend *cpu' devices
lacks '^gpu:'
expect 3 'there is no device "gpu' tasks "$networks/tiny.json" --device gpu

export ANOLE_GPU_ANY_DEVICE=1
expect 0 '^gpu:0' devices
expect 3 'several devices fit "Portable Computing"' tasks "$networks/tiny.json" \
    --device 'Portable Computing'
expect 0 'valid' tasks "$networks/tiny.json" --device 'Portable Computing:1'
# Both devices into one lock file, and then two columns of times.  Two trials more than
# the defaults of the six tasks.
expect 2 'found gpu:0 twice' tune "$networks/tiny.json" --device gpu --device GPU:0
expect 2 'expected one --device' tune "$networks/tiny.json" --device gpu --device cpu --json
expect 3 'no device "gpu:7"' tune "$networks/tiny.json" --device cpu --device gpu:7
expect 0 '^conv .* us .* us' tune "$networks/tiny.json" --device gpu --device cpu --trials 8 \
    --seed 2
lacks 'default config for'
lacks 'wrong-answer'
expect '[06]' 'right' verify tiny.lock.json --device gpu

# Half precision beside it, in the same lock file; the cpu backend has none, and holds nobody up.
expect 2 "backend 'cpu' supports none of its 6 tasks in fp16 on cpu:0; try another --device" \
    tune "$networks/tiny.json" --precision fp16 --device cpu --trials 1
expect 2 'expected fp32, fp16 or tf32' tasks "$networks/tiny.json" --precision fp64
expect 0 ' f16 ' tasks "$networks/tiny.json" --precision fp16 --device gpu
expect 2 'tuning tiny (6 tasks, fp16) on gpu:0' tune "$networks/tiny.json" --precision fp16 \
    --device cpu --device gpu --trials 7 --seed 2
lacks 'wrong-answer'
expect 0 '^gpu:0 fp16' best tiny.lock.json
grep -c '"id": "gpu:0"' tiny.lock.json | grep -qx 2 || { echo 'FAIL: no two entries' && failed=1; }
expect '[06]' 'f16 .*right' verify tiny.lock.json --device gpu --precision fp16
expect 0 'B  gpu:0 fp16\|C  gpu:0 fp16' compare tiny.lock.json
# What was there stays: fp32 goes on from its own trials, and has nothing to do.
expect '[06]' 'also holds what was found in fp16' verify tiny.lock.json --device gpu
lacks ' f16'
lacks 'wrong-answer'
exit "$failed"
