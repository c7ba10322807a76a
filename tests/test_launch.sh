#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The example that launches what `anole best --kernels` and `anole pack` write: built as its
# head says, on PoCL's device without threads and on its pool.  One line a case; exits 1 if one failed.
set -u
. "${srcdir:-.}/tests/script.sh"
source=$examples/launch/launch.c
data=$data/run

# A layer of each kind, of several work-groups, whose sizes no tile divides.
cat >net.json <<'JSON'
{"name": "kinds", "layers": [
    {"name": "data", "kind": "input", "shape": [1, 13, 13, 24]},
    {"name": "pw", "kind": "conv2d", "channels": 40, "kernel": 1, "activation": "relu6"},
    {"name": "wino", "kind": "conv2d", "channels": 34, "kernel": 3, "padding": 1, "activation": "relu"},
    {"name": "dw", "kind": "depthwise_conv2d", "kernel": 3, "padding": 1},
    {"name": "groups", "kind": "conv2d", "channels": 22, "kernel": 3, "padding": 1, "groups": 2},
    {"name": "conv", "kind": "conv2d", "channels": 9, "kernel": 3, "stride": 2},
    {"name": "flat", "kind": "flatten"},
    {"name": "fc", "kind": "dense", "channels": 301, "activation": "relu"}]}
JSON
check 'a network is tuned' '"$anole" tune net.json --device cpu --trials 9 --seed 3 --history h \
    --output lock >out 2>err </dev/null'
check 'its kernels are written' '"$anole" best lock --kernels k --device cpu >out 2>err'
check 'kernels.json says what the network is made of' \
    'grep -q "\"anole_kernels\": 2" k/kernels.json && [ "$(grep -c "\"how\": \"tuned\"" k/kernels.json)" -eq 6 ]'
mv net.json moved.json
check 'kernels alone are written where the network is gone' \
    '"$anole" best lock --kernels alone --device cpu >out 2>err && grep -q "kernels alone.*net.json" err'
check 'they are the same kernels' \
    'diff k alone >out; [ "$(grep -c "^diff" out)" -le 1 ] && ! grep -q "\"nodes\"" alone/kernels.json'

# -- a network whose sizes are open: those that were tuned --
check 'an ONNX network is tuned at a batch size' '"$anole" tune "$data/small.onnx" --batch 2 \
    --device cpu --trials 4 --seed 3 --history ho --output onnx.lock >out 2>err </dev/null'
check 'its kernels are those of its layers at that size' \
    '"$anole" best onnx.lock --kernels sized --device cpu --batch 2 >out 2>err &&
     [ "$(grep -c "\"how\": \"tuned\"" sized/kernels.json)" -eq 4 ]'
check 'a shape says the same' \
    '"$anole" best onnx.lock --kernels shaped --device cpu --shape x=2x3x12x12 >out 2>err &&
     cmp sized/kernels.json shaped/kernels.json'
check 'without a size it is the one that was tuned' \
    '"$anole" best onnx.lock --kernels same --device cpu >out 2>err &&
     cmp sized/kernels.json same/kernels.json'
check 'at another size it is told that none is tuned' \
    '"$anole" best onnx.lock --kernels other --device cpu --batch 3 >out 2>err &&
     grep -q "by --batch or" err'
check 'a shape of no input makes no folder' \
    '! "$anole" best onnx.lock --kernels none --device cpu --shape y=2x3x12x12 >out 2>err &&
     grep -q "no such input" err && [ ! -e none ]'
check 'a size without a network is refused' \
    '! "$anole" best onnx.lock --batch 2 >out 2>err && grep -q "goes with --kernels" err'

# The command of the source's head.
build=$(sed -n '/^ \*     cc /,/-pthread$/s/^ \* *//p' "$source" | tr -d '\\\n')
check 'the head of the source says how to build it' 'echo "$build" | grep -q "^cc .* -pthread$"'
cp "$source" .
check 'it is built as its head says' \
    'eval "${CC:-cc} -Wall -Wextra ${EXAMPLE_FLAGS-} ${build#cc }" >out 2>err'
check 'without a warning' '[ ! -s err ]'

# The driver is unloaded before LeakSanitizer looks, which then cannot tell whose leaks
# those of the driver are.
run() {
    ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 POCL_DEVICES=$1 ./launch "$2" "$3" "$4" \
        "$3.weights" "$3.packed" >out 2>err
}

# launch DEVICES FILE QUEUES
launch() {
    devices=$1 file=$2 queues=$3
    check "$file on $devices by $queues queues" \
        'run "$devices" k "$file" "$queues" && grep -q "right, and the same" out'
}
check 'there are six' '[ "$(ls k/*.cl | wc -l)" -eq 6 ]'
check 'one of them is a Winograd kernel' 'grep -q "^winograd_[a-z]*(" k/*.cl'

# random BYTES: floats from -0.5 to 0.5, none of whose bytes is 0.
random() {
    LC_ALL=C awk -v n=$(($1 / 4)) -v seed="$1" 'function byte() { return 1 + int(255 * rand()) }
        BEGIN {
            srand(seed)
            while (n--)
                printf "%c%c%c%c", byte(), byte(), byte(), rand() < 0.5 ? 62 : 190
        }'
}
weights_bytes() {
    sed -n "/\"file\": \"$1\"/,/\"packed_weights/s/.*\"weights_bytes\": \([0-9]*\),.*/\1/p" \
        k/kernels.json
}
number=0
for file in $(cd k && ls ./*.cl | sed 's,^\./,,'); do
    number=$((number + 1))
    random "$(weights_bytes "$file")" >"$file.weights"
    check "weights of $file are packed" '"$anole" pack lock $number "$file.weights" \
        --output "$file.packed" --device cpu >out 2>err'
    for count in 2 3 7; do
        launch basic "$file" $count
    done
done
dense=$(cd k && ls ./*dense*.cl | sed 's,^\./,,')
# The pool builds anew what it runs: two kernels, one of them of several launches, will do.
launch pthread "$dense" 2
launch pthread "$(cd k && grep -l '^winograd_[a-z]*(' ./*.cl | sed 's,^\./,,;q')" 2

# -- it can tell --
# spoil WHAT: the dense layer adds WHAT beside its bias.
spoil() {
    rm -rf bad
    cp -R k bad
    sed "s/sum += whole ? load(bias)/sum += $1; &/" "k/$dense" >"bad/$dense"
}
spoil 0.5f
check 'a kernel that is wrong is told' \
    '! run basic bad "$dense" 2 && grep -q "WRONG, and the same" out'
spoil '1e-6f * FIRST_GROUP'
check 'shares that give something else are told' \
    '! run basic bad "$dense" 2 && grep -q "right, and DIFFERENT" out'
cp "$dense.packed" good.packed
random "$(weights_bytes "$dense")" | head -c "$(wc -c <good.packed)" >"$dense.packed"
check 'weights that are not packed are told' \
    '! run basic k "$dense" 2 && grep -Eq "WRONG|another size" out err'
cp good.packed "$dense.packed"
check 'a file that is not there is told' \
    '! run basic k none.cl 2 && grep -q "no such kernel" err'

exit $failed
