#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Disks that fail under a tuner: full, failing to sync, read-only.  It says so and
# ends with an error; what was finished is there, once, and the same command goes
# on; no half-written lock file replaces a whole one, and no temporary file stays.
set -u
. "${srcdir:-.}/tests/faults/script.sh"
only simulated
dense 20 net.json
total=140

faults=$plugins/fault_io.preload
# A sanitizer wants to be loaded before anything else: it is, but for this.
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0
export ASAN_OPTIONS
sick() {
    env LD_PRELOAD="$faults" "$@"
}
tune() {
    "$@" "$anole" tune net.json --trials $total --history net.history --output out.lock.json --seed 3
}
fresh() {
    rm -f net.history out.lock.json
}
# The history is whole after a fault, and is taken up again.
whole() {
    before=$(trials net.history)
    check "after $1: no config stands there twice" '[ -z "$(repeated net.history)" ]'
    check "after $1: each line but the first is a whole trial" \
        '[ "$before" -eq $(($(wc -l <net.history) - 1)) ]'
    expect 0 'wrote out.lock.json' tune env
    check "after $1: all $total trials are there, each once" \
        '[ "$(trials net.history)" -eq $total ] && [ -z "$(repeated net.history)" ]'
    check "after $1: what was there has stayed" '[ "$before" -le $total ]'
}

# -- a history that cannot grow --
for bytes in 0 20 40 1000 7777 20000; do
    fresh
    expect 1 'No space left' tune sick FAULT_FILE=net.history FAULT_WRITE=$bytes
    if [ "$bytes" -lt 40 ]; then
        check "with room for $bytes bytes no history is left" '[ ! -e net.history ]'
    else
        whole "room for $bytes bytes"
    fi
done
fresh
expect 1 'File too large' sh -c 'ulimit -f 8; exec "$@"' sh "$anole" tune net.json \
    --trials $total --history net.history --output out.lock.json --seed 3
whole 'a limit on the size of files'

# -- a disk that does not keep --
for calls in 3 17; do
    fresh
    expect 1 'Input/output error' tune sick FAULT_FILE=net.history FAULT_SYNC=$calls
    whole "sync number $calls that fails"
done
# What can neither be kept nor taken back stays as a torn line, which the next run
# drops, and says so.
fresh
expect 1 'a torn line stays' tune sick FAULT_FILE=net.history FAULT_WRITE=7777 FAULT_CUT=1
expect 0 'torn' tune env
check 'after a torn line: all trials are there, each once' \
    '[ "$(trials net.history)" -eq $total ] && [ -z "$(repeated net.history)" ]'

# -- a lock file that cannot be written --
fresh
tune env >out 2>err
cp out.lock.json kept
for fault in FAULT_WRITE=0 FAULT_WRITE=3000 FAULT_SYNC=1 FAULT_CREATE=1; do
    expect 1 'out.lock.json' tune sick FAULT_FILE=out.lock.json $fault
    check "after $fault the old lock file is there, whole" 'cmp -s kept out.lock.json'
    check "after $fault no temporary file is left" '[ -z "$(find . -name "*.tmp*")" ]'
done
rm -f out.lock.json
expect 1 'out.lock.json' tune sick FAULT_FILE=out.lock.json FAULT_WRITE=3000
check 'no half of a new lock file is left' '[ ! -e out.lock.json ]'

# -- a folder that is read-only --
fresh
expect 1 'Read-only' tune sick FAULT_FILE=net.history FAULT_CREATE=1
if [ "$(id -u)" -ne 0 ]; then # root may write anywhere
    mkdir closed
    chmod a-w closed
    expect 1 'closed/h' "$anole" tune net.json --trials 10 --history closed/h --output o
    expect 1 'closed/o' "$anole" tune net.json --trials 10 --history net.history --output closed/o
fi

# -- stdout that is full --
if [ -c /dev/full ]; then
    expect 1 'stdout' sh -c '"$1" best kept >/dev/full' sh "$anole"
fi
exit $failed
