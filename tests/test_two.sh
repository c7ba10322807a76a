#!/bin/sh
# SPDX-License-Identifier: MIT
#
# More than one at a time: two tuners on one history, two on one device, readers
# while a tuner writes.
set -u
. "${srcdir:-.}/tests/faults/script.sh"
only good apart simulated
dense 40 net.json
dense 1 one.json

# start DEVICE NETWORK: a tuner, and waits until it has made a trial.
start() {
    "$anole" tune "$2" --device "$1" --trials 100000 --history "$1.h" --output "$1.json" \
        >"$1.out" 2>"$1.err" </dev/null &
    pid=$!
    waited=0
    while [ $waited -lt 2000 ]; do
        [ ! -f "$1.h" ] || [ "$(trials "$1.h")" -eq 0 ] || return
        sleep 0.05
        waited=$((waited + 1))
    done
    fail "the tuner on $1 does not get going"
}
stop() {
    kill -KILL $pid 2>/dev/null
    wait $pid 2>/dev/null
}

# -- one history --
start good net.json
expect 2 "being written by process $pid" "$anole" tune net.json --device simulated --trials 100 \
    --history good.h --output o.json
stop
# -- the same cores: held here, as other tests may hold them, and let go at any time --
expect 0 'another process measures on this machine.s cores' flock -o /tmp/anole-host.lock \
    "$anole" tune one.json --device good --trials 2 --history other.h --output o.json
# -- one device: other histories --
start apart net.json
expect 0 'another process measures on Test Device' "$anole" tune one.json --device apart \
    --trials 2 --history other.h --output o.json
check 'but not on what is simulated' '"$anole" tune one.json --device simulated --trials 2 \
    --history third.h --output p.json 2>&1 | grep -c "another process" | grep -q "^0$"'
stop

# -- readers --
# Simulated trials take next to no time: so many tasks that there is time to read.
before=0 reads=0
dense 400 many.json
start simulated many.json
while kill -0 $pid 2>/dev/null && [ $reads -lt 60 ]; do
    "$anole" best --failures simulated.h >seen 2>err ||
        fail "a reader beside a writer: $(head -n 1 err)"
    now=$(sed -n 's/^[0-9]* of \([0-9]*\) trials failed.*/\1/p' seen)
    [ "${now:-0}" -ge "$before" ] || fail "a reader saw $before trials, then ${now:-none}"
    ! grep -q damaged err || fail "a reader took a line in the making for a damaged one"
    before=${now:-0}
    reads=$((reads + 1))
    [ ! -f simulated.json ] || "$anole" best simulated.json >/dev/null 2>err ||
        fail "a reader saw a lock file that is not whole"
done
echo "$reads reads beside a writer, of up to $before trials"
check 'there was something to read' '[ $reads -gt 0 ] && [ $before -gt 0 ]'
stop
exit $failed
