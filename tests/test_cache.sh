#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What `anole run` keeps for the next start: that it is found, that what is damaged is made
# anew, and that a folder that cannot be had is no failure.  One small network throughout.
set -u
. "${srcdir:-.}/tests/script.sh"

need_cpu_device
ANOLE_CACHE_DIR=$folder/cache
export ANOLE_CACHE_DIR
cp "$networks/tiny.json" .

# Runs it, and keeps its outputs in $1; more options follow.
run() {
    output=$1
    shift
    "$anole" run tiny.json --device cpu --threads 2 --repeat 1 --json --output "$output" "$@"
}
# value NAME: a number that the last run said.
value() {
    sed -n "s/.*\"$1\": \([0-9.]*\),*$/\1/p" out | head -n 1
}
entries() {
    ls cache | grep -c '^[0-9a-f]*$'
}

expect 0 '"cached_kernels": 0' run first.npz
kernels=$(value kernels)
check 'it has kernels' '[ "$kernels" -gt 5 ]'
if [ "$(nproc)" -gt 1 ]; then
    check 'workers built all but the first' '[ "$(value worker_kernels)" -eq $((kernels - 1)) ]'
fi
check 'some share a source' '[ "$(value sources)" -lt "$kernels" ]'
check 'each source is kept' '[ "$(entries)" -ge "$(value sources)" ]'
check 'by this user alone' '[ "$(stat -c %a cache)" = 700 ]'
expect 0 "\"cached_kernels\": $kernels" run second.npz
check 'the second start builds none' '[ "$(value worker_kernels)" = 0 ]'
check 'the outputs are the same' 'cmp -s first.npz second.npz'
expect 0 '"cached_kernels": 0' run third.npz --no-cache
expect 0 'sources, [1-9][0-9]* from the cache' "$anole" run tiny.json --device cpu --threads 2 --repeat 1 --profile

# -- damage --
damage() {
    for entry in cache/*; do
        case $entry in */seed) ;; *) "$@" "$entry" ;; esac
    done
}
overwrite() { # OFFSET FILE
    printf '\377\376' | dd of="$2" bs=1 seek="$1" conv=notrunc 2>/dev/null
}
shorten() {
    head -c 1000 "$1" >"$1.part" && mv "$1.part" "$1"
    chmod 600 "$1"
}
damage overwrite 9000
expect 0 '"cached_kernels": 0' run fourth.npz
expect 0 "\"cached_kernels\": $kernels" run fourth.npz
damage shorten
expect 0 '"cached_kernels": 0' run fourth.npz
check 'the outputs are still the same' 'cmp -s first.npz fourth.npz'
entry=$(ls -S cache/[0-9a-f]* | head -n 1) # the largest: a kernel, and not packed weights
: >"$entry"
run fourth.npz >out 2>err
check 'one entry is made anew' '[ "$(value cached_kernels)" -lt "$kernels" ] &&
    [ "$(value cached_kernels)" -gt 0 ]'

# -- two at once, on nothing --
rm -rf cache
run a.npz >a.out 2>&1 &
one=$!
run b.npz >b.out 2>&1
check 'the one ends well' "[ $? -eq 0 ]"
wait $one
check 'and so does the other' "[ $? -eq 0 ]"
check 'neither complains' '! grep -q "nothing is cached\|cannot write" a.out b.out'
expect 0 "\"cached_kernels\": $kernels" run fifth.npz
check 'all outputs are the same' 'cmp -s a.npz b.npz && cmp -s a.npz fifth.npz'

# -- a folder that is too small, or cannot be had --
rm -rf cache
expect 0 '"cached_kernels": 0' env ANOLE_CACHE_LIMIT=200K "$anole" run tiny.json --device cpu \
    --threads 2 --repeat 1 --json
check 'the limit is kept' '[ "$(cat cache/[0-9a-f]* | wc -c)" -le 204800 ]'
chmod 777 cache
expect 0 'others may write' run sixth.npz
expect 0 'cache of networks.*others may write' "$anole" doctor --device cpu
: >file
ANOLE_CACHE_DIR=$folder/file/cache
expect 0 'nothing is cached' run sixth.npz
check 'the output is the same' 'cmp -s first.npz sixth.npz'
ANOLE_CACHE_DIR=
expect 0 '"cached_kernels": 0' run sixth.npz
exit $failed
