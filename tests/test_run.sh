#!/bin/sh
# SPDX-License-Identifier: MIT
#
# `anole run` from outside: a small network on PoCL against ONNX's own evaluator, with
# defaults and with a lock file, and what is refused.  One line a case; exits 1 if one
# failed, 77 if there is no CPU device.
set -u
. "${srcdir:-.}/tests/script.sh"
data=$data/run

need_cpu_device
run() {
    "$anole" run "$@"
}
program=run

# -- words --
expect 0 'Usage: anole run' --help
expect 2 'unknown option --chekc' small.onnx --chekc y.npz
expect 2 'none.onnx' none.onnx --device cpu
expect 2 'small.npz' "$data/small.npz" --device cpu
expect 2 'no such input' "$data/small.onnx" --device cpu --shape z=1x3x12x12
expect 2 'expected NAME=SIZES' "$data/small.onnx" --device cpu --shape x=1x3xx12
expect 2 'expected a number from 0 on' "$data/small.onnx" --device cpu --batch 1 --tolerance much
expect 2 'has the shape' "$data/small.onnx" --device cpu --shape x=3x3x12x12 --input "x=$data/x.npy"
expect 2 'with a name of: x' "$data/small.onnx" --device cpu --batch 1 --input z=random
expect 3 'no device' "$data/small.onnx" --device no-such-device --batch 1

# -- arrays that do not fit --
# npy TYPE FILE: two numbers of 8 bytes, each 1 as an integer.
npy() {
    printf '\223NUMPY\001\000v\000%-117s\n\001\0\0\0\0\0\0\0\001\0\0\0\0\0\0\0' \
        "{'descr': '<$1', 'fortran_order': False, 'shape': (2,), }" >"$2"
}
npy i8 whole.npy
npy f8 real.npy
head -c 1000 "$data/sized.npz" >cut.npz
expect 2 'cut.npz: ' "$data/small.onnx" --device cpu --input cut.npz
expect 2 'is int64\[2\], but tensor "z" of the network holds f32' "$data/sized.onnx" --device cpu \
    --input "$data/sized.npz" --input z=whole.npy
expect 2 'shape is known only when' "$data/sized.onnx" --device cpu --input z=real.npy
expect 2 'none of its 1 arrays has one of these names: x' "$data/small.onnx" --device cpu \
    --input "$data/wrong.npz"
expect 2 'with a name of: y' "$data/small.onnx" --device cpu --check z=whole.npy

# -- against the evaluator --
expect 0 'output "y": right' "$data/small.onnx" --device cpu --input "$data/small.npz" \
    --check "$data/small.npz" --repeat 2
check 'no layer was tuned' 'grep -q " 0 tuned, 4 default" out'
expect 5 'is off by' "$data/small.onnx" --device cpu --input "$data/small.npz" \
    --check "$data/wrong.npz" --repeat 1
expect 0 'right' "$data/small.onnx" --device cpu --input "x=$data/x.npy" \
    --check "$data/wrong.npz" --repeat 1 --tolerance 0.5
expect 0 '"latency_seconds": {' "$data/small.onnx" --device cpu --repeat 3 --json \
    --output out.npz --input x=ramp
check 'JSON goes without a note on the batch' '! grep -q "the batch" err'
check 'there is a median' 'grep -q "\"median\": [0-9]" out'
expect 0 'output "y": right, error 0 ' "$data/small.onnx" --device cpu --batch 1 --input ramp \
    --check out.npz --repeat 1 --threads 1
expect 0 'steps in sum' "$data/small.onnx" --device cpu --repeat 1 --profile --output all
check 'an open batch is 1' 'grep -q "leaves the batch open: 1 is taken" err'
check 'a trace was written' 'grep -q "\"traceEvents\":\[{\"name\":.*conv 3x3" small.trace.json'
check 'outputs are in a folder' '[ -s all/0_y.npy ]'

# -- sizes that depend on data, shapes that are inputs, and what is not a number --
expect 0 'output "root": right' "$data/sized.onnx" --device cpu --input "$data/sized.npz" \
    --check "$data/sized.npz" --repeat 1
check 'NaN is right where NaN is expected' 'grep -q "output \"w\": right" out'
check 'an output has the size that the data give' 'grep -q "output \"where\": right" out'
expect 5 'output "w" is off by inf' "$data/sized.onnx" --device cpu --input "$data/sized.npz" \
    --input z=ramp --check "$data/sized.npz" --repeat 1
expect 5 'output "where": WRONG, of the shape \[2, 11\] where \[2, 5\]' "$data/sized.onnx" --device cpu --repeat 1 \
    --input "$data/sized.npz" --input x=ramp --check "$data/sized.npz"

expect 0 'output "count": right' "$data/counted.onnx" --device cpu --input "$data/counted.npz" \
    --check "$data/counted.npz" --repeat 1
check 'what comes of a count is right as well' 'grep -q "output \"mean\": right" out'
expect 2 'node "zeros".*known only when the network runs' "$data/reshaped.onnx" --device cpu

# -- products whose batches broadcast are tuned as others are --
expect 0 'output "left": right' "$data/broadcast.onnx" --device cpu --input "$data/broadcast.npz" \
    --check "$data/broadcast.npz" --repeat 1
check 'all of them are right' '[ "$(grep -c "\": right" out)" -eq 3 ]'
check 'and done by three kernels that can be tuned' 'grep -q " 0 tuned, 3 default" out'

# -- kernels that fail, by backends of the tests --
if [ -d "$plugins" ]; then
    mkdir plugins && cp "$plugins/no_compile.so" "$plugins/naughty.so" plugins
    export ANOLE_PLUGIN_PATH="$PWD/plugins"
    expect 0 '"right": true' "$data/small.onnx" --device no_compile --repeat 1 \
        --input "$data/small.npz" --check "$data/small.npz" --json
    check 'JSON names the node and the reason' \
        'grep -q "\"node\": \"conv1\"" out && grep -q "\"problem\": \".*this is no kernel" out'
    check 'it warns' 'grep -q "warning: conv1: its default kernel: .*no kernel; it runs on the" err'
    expect 0 ' 1 tuned, 2 default' "$data/small.onnx" --device naughty --repeat 1 \
        --tuned "$data/naughty.lock.json" --input "$data/small.npz" --check "$data/small.npz"
    check 'a tuned kernel that does not compile gives way to the default' \
        'grep -q "conv1: its tuned kernel: .*no kernel; it runs with the default config" err'
    check 'so does one that the backend refuses' \
        'grep -q "conv2: its tuned kernel: .*on purpose; it runs with the default config" err'
    sed 's/"1\.2\.3"/"1.2.3, own queues"/' "$data/naughty.lock.json" >own.lock.json
    expect 0 'launches are made in another way' "$data/small.onnx" --device naughty --repeat 1 \
        --batch 2 --tuned own.lock.json
    check 'which is no reason to warn' '! grep -q "warning: .*driver version" err'
    sed 's/"1\.2\.3"/"1.2.2"/' "$data/naughty.lock.json" >old.lock.json
    expect 0 'warning: old.lock.json was tuned with driver version' "$data/small.onnx" \
        --device naughty --repeat 1 --batch 2 --tuned old.lock.json
    unset ANOLE_PLUGIN_PATH
fi

# -- a network without weights --
expect 0 'steps: 0 tuned' "$networks/tiny.json" --device cpu --repeat 1
check 'its weights are random' 'grep -q "has no weights" err'

# -- a network that is larger than any memory: its layers can be tuned, and nothing is filled --
awk 'BEGIN { print "{\"name\": \"vast\", \"layers\": [{\"name\": \"in\", \"kind\": \"input\", \"shape\": [1, 1, 1, 2048]}";
    for (i = 0; i < 99999; i++) printf ",{\"name\": \"d%d\", \"kind\": \"dense\", \"channels\": 2048}\n", i;
    print "]}" }' >vast.json
expect 2 'weights need 1.* of memory, but .* are available' vast.json --device cpu
program=
expect 0 'was not run as a whole: the network.s weights need .* of memory' "$anole" tune vast.json --device cpu \
    --trials 1 --output vast.lock.json --history vast.history
program=run

# -- with what tuning found --
cat >net.json <<'JSON'
{"name": "other", "layers": [
  {"name": "data", "kind": "input", "shape": [2, 12, 12, 3]},
  {"name": "/backbone/stages.1/blocks.0/conv/Conv_quantized_3", "kind": "conv2d", "channels": 8, "kernel": 3, "stride": 2, "padding": 1,
   "activation": "relu"}]}
JSON
if "$anole" tune net.json --device cpu --trials 3 --output net.lock.json --history net.history \
    >tuned 2>&1; then
    expect 0 ' [1-4] tuned, [0-3] default' "$data/small.onnx" --device cpu --tuned net.lock.json \
        --input "$data/small.npz" --check "$data/small.npz" --repeat 1
    check 'it says what matched' 'grep -q "of the network.s 4 tasks are tuned, in [1-4] of 7 steps" err'
    check 'long names are cut in the middle' 'grep -q "^/backbone/stag...onv_quantized_3  conv" tuned'
    sed 's/ f32/ f16/; s/"metric": "seconds"/"precision": "fp16", &/' net.lock.json >half.lock.json
    expect 0 'half.lock.json: none of the network.s 4 tasks is tuned: it holds 1 of fp16, and the' \
        "$data/small.onnx" --device cpu --tuned half.lock.json --repeat 1
    sed 's/"device": "/&Other /' net.lock.json >other.lock.json
    expect 3 'other.lock.json holds nothing for device cpu:0.*it holds: Other' "$data/small.onnx" \
        --device cpu --tuned other.lock.json
else
    echo "FAIL: anole tune net.json"
    sed 's/^/    /' tuned | tail -n 5
    failed=1
fi

# -- a layer whose size is an input's elements, in every verb that asks for sizes --
program=$anole
expect 2 'known only when' tasks "$data/known.onnx"
expect 0 '1 tasks in 1 tuned layers' tasks "$data/known.onnx" --shape x=2x6 --shape 'sizes=[4,3]'
expect 0 '1 tasks in 1 tuned layers' tasks "$data/known.onnx" --input "$data/known.npz"
expect 0 '1 tasks in 1 tuned layers' tasks "$data/known.onnx" --shape 'in_0=2x6' --shape 'sizes=[-1,3]'
expect 2 'expected NAME=SIZES.*or NAME=\[ELEMENTS\]' tasks "$data/known.onnx" --shape 'sizes=[4,3'
expect 2 'expected NAME=SIZES' tasks "$data/known.onnx" --shape 'sizes=[4,x]'
expect 2 'expected NAME=SIZES' tasks "$data/known.onnx" --shape 'sizes=[99999999999999999999]'
expect 2 'the input is no list of whole numbers' tasks "$data/known.onnx" --shape 'x=[2,6]'
expect 2 'has no such input' tasks "$data/known.onnx" --shape 'in_2=[4,3]'
expect 2 'expected FILE.npz, NAME=FILE.npy or NAME=FILE.pb' tasks "$data/known.onnx" --input x=random
expect 2 'cut.npz: ' tasks "$data/known.onnx" --input cut.npz
if "$anole" tune "$data/known.onnx" --device cpu --trials 3 --input "$data/known.npz" \
    --output known.lock.json --history known.history >tuned 2>&1; then
    check 'the lock file has the elements' 'grep -q "sizes=\[4,3\]" known.lock.json'
    expect 0 ' 1 tuned, 0 default' run "$data/known.onnx" --device cpu --tuned known.lock.json \
        --input "$data/known.npz" --check "$data/known.npz" --repeat 1
    expect 0 '.' best known.lock.json --kernels known --device cpu
else
    echo "FAIL: anole tune known.onnx"
    sed 's/^/    /' tuned | tail -n 5
    failed=1
fi
program=run

expect 2 'none.lock.json' "$data/small.onnx" --device cpu --batch 1 --tuned none.lock.json

exit $failed
