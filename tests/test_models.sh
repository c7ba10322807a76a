#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Real models give what ONNX Runtime gave, on the CPU and as they are: NAME.onnx with inputs and
# outputs in NAME.npz, from $ANOLE_TEST_MODELS or, beside the sources, ../shared/models.
# ANOLE_TEST_MODEL_NAMES says which; by default, some that start quickly.
set -eu
srcdir=${srcdir:-.}
models=${ANOLE_TEST_MODELS:-$srcdir/../shared/models}
names=${ANOLE_TEST_MODEL_NAMES:-dnsmos_p808 silero_vad_16k_seq squeezenet_rnd}

if [ ! -d "$models" ]; then
    echo "skipped: there are no models in $models" >&2
    exit 77
fi
failed=0
for name in $names; do
    if ./anole run "$models/$name.onnx" --device cpu --input "$models/$name.npz" \
        --check "$models/$name.npz" --repeat 1 >run.$$ 2>&1; then
        sed "s/^/$name: /" run.$$ | grep right
    else
        echo "FAIL: $name"
        cat run.$$
        failed=1
    fi
done
rm -f run.$$
exit $failed
