#!/bin/sh
# SPDX-License-Identifier: MIT
#
# `anole export NETWORK`: folders that are built and run without Anole, on PoCL, and give what
# `anole run` gives, bit for bit; and what is refused.  One line a case; exits 1 if one failed,
# 77 if there is no CPU device or no OpenCL to link to.
set -u
. "${srcdir:-.}/tests/script.sh"
data=$data/run program=$anole

need_cpu_device

# build DIR: with its own Makefile, and every warning.  Sanitizers see no other's driver.
build() {
    make -C "$1" CC="${CC:-cc}" CFLAGS="-O1 -std=c11 -Wall -Wextra -Werror" >out 2>err
}
# launch DIR FILE...
launch() {
    dir=$1
    shift
    "./$dir/network" -f "$dir" "$@" >out 2>err
}
# The last so many bytes: an .npy without its head.
raw() {
    tail -c "$2" "$1"
}

# -- a network of our JSON, tuned --
{
    printf '\223NUMPY\001\000v\000%-117s\n' \
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 16, 16, 8), }"
    LC_ALL=C awk 'BEGIN { for (i = 0; i < 2048; i++)
        printf "%c%c%c%c", 1 + i * 7 % 250, 1 + i * 13 % 250, 1 + i * 29 % 250, i % 3 ? 62 : 190 }'
} >x.npy
raw x.npy 8192 >x.bin
check 'the input is as large as it should be' '[ "$(wc -c <x.npy)" -eq 8320 ]'
expect 0 'wrote tiny.lock' tune "$networks/tiny.json" --device cpu --trials 9 --seed 2 \
    --history h --output tiny.lock
expect 0 'steps' run "$networks/tiny.json" --device cpu --tuned tiny.lock --input data=x.npy \
    --output y --repeat 1
expect 0 'tasks are tuned' export "$networks/tiny.json" --device cpu --tuned tiny.lock \
    --output tiny
check 'it is built without a warning' 'build tiny'
check 'it runs' 'launch tiny x.bin y.bin'
raw y/0_*.npy 40 >expected.bin
check 'it gives what anole run gives, bit for bit' 'cmp expected.bin y.bin'
check 'it times itself' 'launch tiny -n 3 x.bin z.bin && grep -q "^[0-9.]* ms, the median of 3 runs" out'
check 'and its last run is as right as its first' 'cmp z.bin y.bin'
check 'no times at all are refused' '! launch tiny -n 0 x.bin z.bin && grep -q Usage err'
check 'the sums are 1' '[ "$(od -An -tf4 -v y.bin | LC_ALL=C awk "{ for (i = 1; i <= NF; i++) s += \$i }
    END { print (s > 0.99 && s < 1.01) }")" = 1 ]'

# -- the manifest --
member() {
    grep -q "^ \"$1\": " tiny/manifest.json
}
for name in anole_kernels network device weights_file kernels tensors inputs outputs nodes buffers \
    constants launches; do
    check "the manifest has $name" "member $name"
done
check 'and says which kernels were tuned' 'grep -q "\"how\": \"tuned\"" tiny/manifest.json'
check 'weights are as long as it says' 'grep -q "\"weights_file_bytes\": $(wc -c <tiny/weights.bin)," \
    tiny/manifest.json'

# -- what the program refuses --
check 'an input of another size is told' '! launch tiny y.bin y2.bin && grep -q "8192 bytes" err'
check 'no argument shows what there is' '! launch tiny && grep -q "input 0: data f32.1, 16, 16, 8" err'
check 'another device is not found' '! launch tiny -d no-such x.bin y2.bin && grep -q "no-such" err'
cp -R tiny broken
truncate -s 100 broken/weights.bin
check 'weights that are cut off are told' '! launch broken x.bin y2.bin && grep -q "too short" err'
check 'nothing was written then' '[ ! -e y2.bin ]'

# -- folders: replaced whole, or left alone --
mkdir empty
expect 0 'wrote empty' export "$data/small.onnx" --device cpu --batch 2 --output empty
expect 0 'wrote tiny' export "$data/small.onnx" --device cpu --batch 2 --output tiny/
check 'the earlier export is gone' '[ ! -e tiny/network ] && grep -q small_run tiny/network.h'
check 'nothing is left beside it' '[ -z "$(ls -d tiny.* empty.* 2>/dev/null | grep -v lock)" ]'
echo mine >tiny/notes
expect 2 'holds notes; expected a new folder' export "$data/small.onnx" --device cpu --output tiny
check 'it was left alone' '[ -s tiny/notes ] && [ -s tiny/network.c ]'
rm tiny/notes
expect 2 'is no folder' export "$data/small.onnx" --device cpu --output x.bin
expect 1 'no-such' export "$data/small.onnx" --device cpu --output no-such/folder

# -- a network of ONNX: the layout of its tensors is the file's --
expect 0 'right' run "$data/small.onnx" --device cpu --input "x=$data/x.npy" \
    --check "$data/small.npz" --output z --repeat 1
size=$(sed -n 's/.* output 0: .*, \([0-9]*\) bytes$/\1/p' empty/network.h)
raw "$data/x.npy" "$(sed -n 's/.* input 0: .*, \([0-9]*\) bytes$/\1/p' empty/network.h)" >x.bin
raw z/0_y.npy "$size" >expected.bin
check 'an ONNX network is built' 'build empty'
check 'and gives what anole run gives, bit for bit' 'launch empty x.bin y.bin && cmp expected.bin y.bin'

# -- kernels that fail, by backends of the tests --
if [ -d "$plugins" ]; then
    mkdir plugins && cp "$plugins/no_compile.so" "$plugins/naughty.so" plugins
    export ANOLE_PLUGIN_PATH="$PWD/plugins"
    cat >conv.json <<'JSON'
{"name": "conv", "layers": [
  {"name": "data", "kind": "input", "shape": [2, 12, 12, 3]},
  {"name": "conv1", "kind": "conv2d", "channels": 8, "kernel": 3, "stride": 2, "padding": 1,
   "bias": true, "activation": "relu"}]}
JSON
    expect 0 'conv1: its tuned kernel: .*no kernel; it runs with the default config' \
        export conv.json --device naughty --tuned "$data/naughty.lock.json" --output replaced
    check 'the kernel that builds is in it, and said to be a default' \
        'grep -q "\"how\": \"default\"" replaced/manifest.json &&
         ! grep -q "\"how\": \"tuned\"" replaced/manifest.json'
    expect 2 'conv1.* no kernel for it that builds: .*this is no kernel' \
        export conv.json --device no_compile --output refused
    expect 2 'node ".*" (.*): the host computes it, as backend naughty has no kernel for it' \
        export "$data/small.onnx" --device naughty --output refused
    check 'nothing was written then' '[ -z "$(ls -d refused* 2>/dev/null)" ]'
    unset ANOLE_PLUGIN_PATH
fi

# -- words --
expect 2 'is a network: expected --output DIR' export "$networks/tiny.json"
expect 2 'goes with a history' export "$networks/tiny.json" --task 1 --output tiny
expect 2 'goes with a network' export h --tuned tiny.lock
expect 0 '"results"' export h --task 1

exit $failed
