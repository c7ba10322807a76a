#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The example that launches what `anole best --kernels` writes: built as its head says,
# on PoCL's device without threads and on its pool.  One line a case; exits 1 if one failed.
set -u

anole=${ANOLE:-./anole}
source=${ANOLE_EXAMPLES:-examples}/launch/launch.c
case $anole in /*) ;; *) anole=$PWD/$anole ;; esac
case $source in /*) ;; *) source=$PWD/$source ;; esac
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
failed=0

check() {
    if eval "$2"; then
        echo "ok: $1"
    else
        echo "FAIL: $1"
        tail -n 5 err 2>/dev/null | sed 's/^/    /'
        failed=1
    fi
}

# Products of matrices of several work-groups, whose sizes no tile divides.
cat >net.json <<'JSON'
{"name": "products", "layers": [
    {"name": "data", "kind": "input", "shape": [1, 13, 13, 24]},
    {"name": "pw", "kind": "conv2d", "channels": 40, "kernel": 1, "activation": "relu6"},
    {"name": "conv", "kind": "conv2d", "channels": 9, "kernel": 3, "stride": 2},
    {"name": "flat", "kind": "flatten"},
    {"name": "fc", "kind": "dense", "channels": 301, "activation": "relu"}]}
JSON
check 'a network is tuned' '"$anole" tune net.json --device cpu --trials 6 --seed 3 --history h \
    --output lock >out 2>err </dev/null'
check 'its kernels are written' '"$anole" best lock --kernels k --device cpu >out 2>err'

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
    ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 POCL_DEVICES=$1 ./launch "$2" "$3" "$4" >out 2>err
}

# launch DEVICES FILE QUEUES
launch() {
    devices=$1 file=$2 queues=$3
    check "$file on $devices by $queues queues" \
        'run "$devices" k "$file" "$queues" && grep -q "right, and the same" out'
}
products=$(cd k && grep -lE 'void dense\(|^pointwise\(' ./*.cl | sed 's,^\./,,')
dense=$(echo "$products" | grep dense)
check 'a dense layer is among them' '[ -s "k/$dense" ]'
for file in $products; do
    for count in 2 3 7; do
        launch basic "$file" $count
    done
    launch pthread "$file" 2
done

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
check 'a file that is not there is told' \
    '! run basic k none.cl 2 && grep -q "no such kernel" err'

exit $failed
