#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A network in several sizes: tuned together, with few kernels, run between what was tuned.
# One line a case; exits 1 if one failed.
set -u
. "${srcdir:-.}/tests/script.sh"
need_cpu_device
net=$data/run/small.onnx

# -- what is refused, before any work is done --
program=$anole
for batch in 0 2147483648 x 1,x '' , 1, ,1 -1 1.5 99999999999999999999 '1 ,2'; do
    expect 2 'expected a whole number from 1 to 2147483647' tune "$net" --device cpu --batch "$batch"
done
expect 2 'expected different sizes, found 1 twice' tune "$net" --device cpu --batch 1,2,1
hundred=$(awk 'BEGIN { for (i = 1; i < 100; i++) printf "%d,", i; print 100 }')
expect 2 'at most 16 sizes' tune "$net" --device cpu --batch "$hundred"
expect 2 '9 batches in 2 shapes; expected at most 16' tune "$net" --device cpu \
    --batch 1,2,3,4,5,6,7,8,9 --shape x=1x3x12,16x12,16
expect 2 'lists are of different lengths' tune "$net" --device cpu --shape x=1x3x12,16x12,16,20
expect 2 'no list of whole numbers' tune "$data/run/known.onnx" --device cpu --shape 'x=[2,6]'
expect 2 'a brace is missing' tune "$net" --device cpu --shape 'x=1x3x{12,16x12,16'
expect 2 'shape "x=1x3x12xy": expected NAME=SIZES' tune "$net" --device cpu --shape x=1x3x12,12x12,y
expect 2 'same layers in the sizes' tune "$networks/tiny.json" --device cpu --batch 1,2
expect 2 'same layers in the sizes' tune "$net" --device cpu --batch 1,2 --shape x=2x3x12x12
expect 2 'expected a network in several sizes' tune "$net" --device cpu --batch 2 --kernels 2
for kernels in 0 17 x; do
    expect 2 'expected a whole number from 1 to 16' tune "$net" --device cpu --batch 1,2 \
        --kernels $kernels
done
check 'nothing was written' '[ -z "$(ls | grep -v "^out$" | grep -v "^err$")" ]'

# -- tuned together --
tune() {
    "$anole" tune "$net" --device cpu --seed 3 --history h "$@" --trials 12 --time 20s \
        >out 2>err </dev/null
}
check 'two batches are tuned at once' 'tune --batch 1,4 --output two.lock --json --no-in-place'
check 'JSON has both sizes' 'grep -q "\"size\": \"batch 1\"" out && grep -q "\"size\": \"batch 4\"" out'
check 'the lock file has an entry for each, of its own tasks' \
    '[ "$(grep -c "\"batch\": 1,\|\"batch\": 4," two.lock)" -eq 2 ] &&
     [ "$(grep -c "\"task\": \"[a-z0-9_]* n1 " two.lock)" -eq 4 ] &&
     [ "$(grep -c "\"task\": \"[a-z0-9_]* n4 " two.lock)" -eq 4 ]'
expect 0 'batch 4' best two.lock
check 'the sizes stand side by side' 'grep -q "^cpu:0 batch 1 " out && grep -q "^cpu:0 batch 4 " out'
check 'a further size joins them' 'tune --batch 2 --output two.lock --no-in-place &&
     [ "$(grep -c "\"batch\": [124]," two.lock)" -eq 3 ]'
expect 0 'A  cpu:0 .*, 3 sizes, in two.lock' compare two.lock
check 'sizes are one column there' '! grep -q "^B " out && [ "$(grep -c "^conv\|^dep\|^dense" out)" -ge 12 ]'

# -- with few kernels --
check 'one kernel a layer is chosen' 'tune --batch 1,4 --kernels 1 --output one.lock'
check 'it is said what that costs' \
    '[ "$(grep -c "against what is best for this size alone" out)" -eq 2 ]'
check 'each size says what the network takes' '[ "$(grep -c "^in place: " out)" -eq 2 ]'
# knobs TASK: of a task in the lock file.
knobs() {
    sed -n "s/.*\"task\": \"$1.*\"knobs\": {\([^}]*\)}.*/\1/p" one.lock
}
for layer in 'conv2d n. 12x12' 'conv2d n. 6x6' depthwise_conv2d dense; do
    check "$layer has the same config in both" \
        '[ "$(knobs "$layer" | wc -l)" -eq 2 ] && [ "$(knobs "$layer" | sort -u | wc -l)" -eq 1 ]'
done
check 'each task says its loss' '[ "$(grep -c "\"slowdown\": [0-9.]*" one.lock)" -eq 8 ]'
expect 0 'at most 1 kernel a layer over all sizes: ' best one.lock

# -- and run --
run() {
    expect 0 "$1" run "$net" --device cpu --repeat 1 --tuned "$2" --batch "$3" --json
}
run '"tuned": 4, *$' one.lock 4
check 'a size that was tuned needs no proof' 'grep -q "\"nearest\": 0" out'
export ANOLE_CACHE_DIR="$PWD/cache"
run '"nearest": 4' one.lock 3
check 'one between is run with kernels of the nearest' \
    'grep -q "4 of these were tuned in other sizes alone: .*proved right" err'
expect 0 'steps' run "$net" --device cpu --repeat 1 --batch 3 --input ramp --output plain.npz
expect 0 'output "y": right' run "$net" --device cpu --repeat 1 --tuned one.lock --batch 3 \
    --input ramp --check plain.npz
export ANOLE_CACHE_DIR=

# -- and verified --
expect '[06]' '^batch 4:' verify one.lock --device cpu --no-in-place
check 'both sizes are' 'grep -q "^batch 1:" out && [ "$(grep -c " right " out)" -eq 8 ]'
expect '[06]' '"size": "batch 4"' verify one.lock --device cpu --no-in-place --json
check 'as one array' '[ "$(head -c 1 out)" = "[" ]'
expect '[06]' 'n4' verify one.lock --device cpu --no-in-place --batch 4
check 'or one of them' '! grep -q "^batch" out && [ "$(grep -c " right " out)" -eq 4 ]'
expect 3 'holds nothing of batch 3' verify one.lock --device cpu --batch 3
expect '[06]' 'several sizes of the network: batch 1 is checked' check "$net" --baseline one.lock \
    --device cpu --no-in-place --time 1s

# -- and adopted --
expect 2 'expected no --adopt' verify one.lock --device cpu --adopt --output mine.lock --batch 4
expect 0 'adopted [1-9][0-9]* of 12 tasks' verify two.lock --device cpu --adopt --output mine.lock
# Of each task of the file: the batch of its entry, and its own.
batches() {
    sed -n 's/.*"batch": \([0-9]*\),.*/batch \1/p; s/.*"task": "[a-z0-9_]* n\([0-9]*\) .*/task \1/p' "$1" |
        awk '$1 == "batch" { batch = $2 } $1 == "task" { print batch, $2 }'
}
check 'what was adopted is in entries of its size' \
    'batches mine.lock | grep -q . && ! batches mine.lock | grep -v "^\([0-9]*\) \1$"'

# -- a kernel that is wrong in another size is not used --
if [ -d "$plugins" ]; then
    mkdir plugins && cp "$plugins/naughty.so" plugins
    export ANOLE_PLUGIN_PATH="$PWD/plugins"
    # entry BATCH DEED
    entry() {
        cat <<JSON
{"id": "naughty:0", "backend": "naughty", "backend_version": "1.0", "generator": 1,
 "device": "Test Device 0", "driver": "naughty driver", "driver_version": "1.2.3", "threads": 0,
 "metric": "seconds", "batch": $1, "tasks": [
  {"task": "dense n$1 i8 o10 f32 bias", "multiplicity": 1,
   "knobs": {"tile": 2, "slow": 0, "deed": $2}, "seconds": 6.5e-7, "low": 6.4e-7, "high": 6.6e-7,
   "default_seconds": 6.5e-7, "speedup": 1.0, "speedup_low": 1.0, "speedup_high": 1.0,
   "tie": true, "source_hash": "bd4e4b5c0b29c8bf", "trials": 1}]}
JSON
    }
    # lock ENTRY...
    lock() {
        printf '{"anole_lock": 2, "network": "small", "network_path": "small.onnx", "devices": ['
        for deed in "$@"; do
            [ "$deed" = "$1" ] || printf ','
            entry "${deed%:*}" "${deed#*:}"
        done
        printf ']}\n'
    }
    wrong=15 # as tests/plugins/misdeeds.h counts
    lock 1:"$wrong" 4:0 >half.lock
    expect 0 '"nearest": 1' run "$net" --device naughty --repeat 1 --tuned half.lock --batch 2 --json
    lock 1:"$wrong" 4:"$wrong" >none.lock
    expect 0 '"nearest": 0' run "$net" --device naughty --repeat 1 --tuned none.lock --batch 2 --json
    check 'it says why the default runs' \
        'grep -q "dense 8>10 n2: what was tuned for the nearest sizes cannot be used: .*default is used" err'
    lock 1:0 >single.lock
    expect 0 '"nearest": 0' run "$net" --device naughty --repeat 1 --tuned single.lock --batch 2 --json
    check 'what was tuned in one size says nothing of others' '! grep -q "nearest sizes" err'
    lock 1:999 4:999 >strange.lock
    expect 0 '"nearest": 0' run "$net" --device naughty --repeat 1 --tuned strange.lock --batch 2 \
        --json
    unset ANOLE_PLUGIN_PATH
fi

exit $failed
