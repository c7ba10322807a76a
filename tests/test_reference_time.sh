#!/bin/sh
# SPDX-License-Identifier: MIT
#
# References that take long: said before, left out where the time does not suffice, and ended
# with the run.
set -u
. "${srcdir:-.}/tests/script.sh"
need_cpu_device

# 33 TFLOP: longer than the budget on any host.
cat >heavy.json <<'END'
{"name": "heavy", "layers": [
  {"name": "data", "kind": "input", "shape": [1, 512, 512, 256]},
  {"name": "large", "kind": "conv2d", "channels": 256, "kernel": 31, "padding": 15},
  {"name": "pool", "kind": "global_average_pool"},
  {"name": "fc", "kind": "dense", "channels": 16}
]}
END

# Something has no result: 4.
expect 4 'conv 31x31.* is left out: to compute its reference takes about [0-9]* s' \
    "$anole" tune heavy.json --device cpu:0 --time 8s --no-in-place --history h --output o.json
check 'nothing was tried of the large layer' '! grep -q "k31x31.*\"outcome\"" h'
check 'the other layer was tuned' 'grep -q "\"dense " o.json'
check 'the large one is not in the lock file' '! grep -q k31x31 o.json'

# Without a limit it is computed: said, and ended by SIGTERM, whose code is that of every stop.
"$anole" tune heavy.json --device cpu:0 --trials 4 --no-in-place --history h2 --output o2.json \
    >out 2>err </dev/null &
tuner=$!
waited=0
until grep -q 'computing the reference of conv 31x31.*: about [0-9]* s' err; do
    sleep 0.2
    waited=$((waited + 1))
    [ $waited -lt 300 ] || break
done
check 'how long it takes is said' 'grep -q "computing the reference of conv 31x31.*about" err'
kill -TERM $tuner
code=0
wait $tuner || code=$?
check "SIGTERM ends it (exit code $code)" '[ $code -ne 0 ] && grep -q "stopped after" err'
exit $failed
