#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Real models give what ONNX Runtime gave, as they are: NAME.onnx with inputs and outputs in
# NAME.npz, from $ANOLE_TEST_MODELS or, beside the sources, ../shared/models.
# ANOLE_TEST_MODEL_NAMES says which on the CPU, and ANOLE_TEST_MODEL_NAMES_GPU on what there is
# instead of a GPU; by default, some that start quickly.  One is tuned as well:
# tests/real_models.py does that with all, on other drivers and at other sizes.
set -eu
srcdir=${srcdir:-.}
models=${ANOLE_TEST_MODELS:-$srcdir/../shared/models}
names=${ANOLE_TEST_MODEL_NAMES:-silero_vad_16k_seq dnsmos_p808 squeezenet_rnd}
gpu_names=${ANOLE_TEST_MODEL_NAMES_GPU:-silero_vad_16k_seq}

if [ ! -d "$models" ]; then
    echo "skipped: there are no models in $models" >&2
    exit 77
fi
failed=0

# check_model NAME WORD...: run it with the words.
check_model() {
    name=$1
    shift
    if ./anole run "$models/$name.onnx" --input "$models/$name.npz" --check "$models/$name.npz" \
        --repeat 1 "$@" >run.$$ 2>&1; then
        sed "s/^/$name: /" run.$$ | grep right
    else
        echo "FAIL: $name $*"
        cat run.$$
        failed=1
    fi
}

for name in $names; do
    check_model "$name" --device cpu
done
for name in $gpu_names; do
    ANOLE_GPU_ANY_DEVICE=1 check_model "$name" --device gpu:0
done

# What tuning finds is used, by task: at another length of the input, too.
shapes='--shape input=8x576 --shape h=1x1x128 --shape c=1x1x128'
name=silero_vad_16k_seq
# shellcheck disable=SC2086
if ./anole tune "$models/$name.onnx" --device cpu $shapes --trials 8 --no-in-place \
    --history run.$$.history --output run.$$.lock.json >run.$$ 2>&1; then
    check_model "$name" --device cpu --tuned run.$$.lock.json
    grep -q '[1-9][0-9]* tuned' run.$$ || {
        echo "FAIL: no kernel was taken from the lock file"
        cat run.$$
        failed=1
    }
    ./anole run "$models/$name.onnx" --device cpu --shape input=3x576 --tuned run.$$.lock.json \
        --repeat 1 >run.$$ 2>&1 && grep -q ' steps: ' run.$$ || {
        echo "FAIL: another length"
        cat run.$$
        failed=1
    }
else
    echo "FAIL: tuning $name"
    cat run.$$
    failed=1
fi
rm -f run.$$ run.$$.*
exit $failed
