#!/bin/sh
# SPDX-License-Identifier: MIT
#
# anole history: what it says, what it refuses, and what it makes of files of strangers.
set -u
. "${srcdir:-.}/tests/faults/script.sh"
only quick
program=$anole
escape=$(printf '\033')

# trial FILE ID TASK DEVICE VERSION OUTCOME SECONDS [MESSAGE]: appends a line, with its checksum.
trial() {
    printf '{"v":2,"task":"%s","backend":"quick","backend_version":"1","generator":1,"device":"%s","driver":"d","driver_version":"%s","threads":2,"metric":"seconds","id":%s,"knobs":{"tile":%s},"outcome":"%s","seconds":%s,"low":%s,"high":%s,"samples":3,"error":0,"abandoned":false,"simulated":false,"message":"%s","cost":{"generate":0,"build":0,"transfer":0,"run":0,"verify":0},"time":"2026-01-0%sT00:00:00Z"' \
        "$3" "$4" "$5" "$2" "$2" "$6" "$7" "$7" "$7" "${8:-}" "$2" | seal >>"$1"
}
# seal: the line on stdin, without its end, and its end.
seal() {
    python3 -c 'import sys, zlib
line = sys.stdin.buffer.read()
sys.stdout.buffer.write(line + b",\"crc\":\"%08x\"}\n" % zlib.crc32(line))'
}
new() {
    printf '{"anole_history":1' | seal >"$1"
}
fc='dense n1 i64 o48 f32 bias'
conv='conv2d n1 8x8x8 k3x3 s1x1 p1,1,1,1 d1x1 g1 o16 f32 bias relu'
new a.history
trial a.history 1 "$fc" Abacus 1 ok 3e-3
trial a.history 2 "$fc" Abacus 1 ok 1e-3
trial a.history 3 "$fc" Abacus 1 compile null 'no such thing'
trial a.history 4 "$conv" Loom 1 ok 5e-3
new b.history
trial b.history 2 "$fc" Abacus 1 ok 1e-3
trial b.history 5 "$fc" Abacus 2 ok 5e-4

# -- words --
expect 0 'merge *Add the trials' history --help
expect 2 "did you mean 'show'" history shwo
expect 2 'expected a verb' history
expect 0 'Usage: anole history ls' history ls --help
expect 2 'expected HISTORY' history ls
expect 2 'no such history' history ls none.history
expect 2 'this is no history' history ls "$networks/alexnet.json"
expect 2 'expected ok, invalid' history ls a.history --outcome good
expect 2 'expected a date' history ls a.history --since yesterday

# -- ls, show --
expect 0 '^dense 64>48  *Abacus  *d 1  *quick 1  *2  *3  *1  *1.00 ms  2026-01-03' history ls a.history
has() { check "$1" 'cat out err | grep -q -e "$1"'; }
hasnt() { check "not $1" '! cat out err | grep -q -e "$1"'; }
has '^4 trials of 2 tasks'
expect 0 '^1 trial was met more than once' history ls a.history b.history
has '^dense 64>48  *Abacus  *d 2 '
expect 0 '^1 trials of 1 tasks' history ls a.history --device LOOM
expect 0 '"best": 0.001' history ls a.history --json
expect 0 '^ 2  dense 64>48  *Abacus  *ok  *1.00 ms \[1.00 ms, 1.00 ms\]  2026-01-02T00:00:00Z  tile=2' history show a.history --task dense
has '^ 3  dense.* compile  *-  .* tile=3  no such thing'
has '^3 of 3 trials'
expect 0 '^1 of 3 trials, the best' history show a.history --task dense --most 1
expect 0 '^1 of 3 trials, the latest' history show a.history --task dense --most 1 --latest
has '^ 3 '
expect 0 '"tile": 3' history show a.history --outcome failed --json

# -- merge --
expect 2 'expected --output' history merge a.history b.history
expect 0 '5 lines added, 1 were there already, 0 damaged' history merge --output all.history a.history b.history
cp all.history before
echo 'a line of somebody else' >>b.history
printf '{"v":2,"task":"dense' >>b.history
expect 0 '0 lines added, 6 were there already, 2 damaged' history merge --output all.history a.history b.history
has 'b.history, line 4: damaged'
has 'b.history, line 5: torn'
check 'merging again changes nothing' 'cmp -s all.history before'
expect 2 'net.csv: this is no history' history merge --output all.history a.history "$(echo x,y >net.csv && echo net.csv)"
check 'a failure changes nothing' 'cmp -s all.history before'

# -- gc --
expect 2 'expected options that choose' history gc all.history --remove
expect 2 'expected --remove' history gc all.history --device Loom
expect 0 'would go: 0 announcements of trials that ended, 0 repeated lines, 2 damaged ones, 0 trials' history gc b.history --dry-run
check 'a dry run changes nothing' 'grep -q somebody b.history'
expect 0 '^gone: .* 2 damaged ones' history gc b.history
check 'what is damaged is gone' '! grep -q somebody b.history'
cp all.history less.history
expect 0 '^gone: .* 1 trials' history gc less.history --device Loom --remove
expect 0 '^4 trials of 2 tasks' history ls less.history

# -- diff --
expect 2 'fewer' history diff a.history
new c.history
trial c.history 6 "$fc" Abacus 2 ok 5e-4
expect 0 '^dense 64>48  *Abacus  *3  *1.00 ms  *1  *500 us  *2.00x  driver version 1, then 2' history diff a.history c.history
has '^conv.* missing'
expect 0 '^conv.* added' history diff c.history a.history
expect 0 '"gain": 2.0' history diff a.history c.history --json

# -- export --
expect 0 '"dense n1 i64 o48 f32 bias","quick","1",1,"Abacus","d","1",2,"hot",2,"tile=2","ok",0.001,0.001,0.001,3,0,0,0,"unsaid","",0,0,"2026-01-02T00:00:00Z"' history export a.history
check 'a row for each trial, and titles' '[ "$(wc -l <out)" -eq 5 ]'
expect 2 'expected t4' history export a.history --format xml
expect 2 'expected one task on one device for this format, found 2' history export a.history --format t4
has 'conv 3x3/1 8>16 @8x8 relu, Loom'
expect 0 'wrote x.T4.json: 3 trials' history export a.history --format t4 --task dense --output x.T4.json
expect 0 'wrote x.cache.json: 3 trials' history export a.history --format kernel-tuner --task dense --output x.cache.json
check 'a cache has what Kernel Tuner looks for' 'python3 -c "
import json
c = json.load(open(\"x.cache.json\"))
assert c[\"tune_params_keys\"] == [\"tile\"] and c[\"tune_params\"] == {\"tile\": [1, 2, 3]}
assert c[\"device_name\"] == \"Abacus\" and c[\"objective\"] == \"time\"
assert c[\"cache\"][\"2\"][\"time\"] == 1.0 and c[\"cache\"][\"3\"][\"time\"] == \"CompilationFailedConfig\"
"'
expect 0 'wrote y.csv: 3 trials' export a.history --format csv --task 1 --output y.csv

# -- import --
cp "$examples/gemm/gemm.json" "$examples/gemm/gemm.cl" "$examples/gemm/reference.cl" .
expect 2 'expected --t1' history import x.T4.json
expect 2 'expected --backend' history import x.T4.json --t1 gemm.json
expect 2 'expected --output' history import x.T4.json --t1 gemm.json --backend quick
knobs='"KWG": 16, "KWI": 2, "MDIMA": 8, "MDIMC": 8, "MWG": 64, "NDIMB": 8, "NDIMC": 8, "PRECISION": 32, "SA": 1, "SB": 1, "STRM": 0, "STRN": 0, "VWM": 4'
cat >clblast_xgemm_1_32.json <<JSON
{
  "kernel_family": "xgemm_1", "precision": "32", "arg_m": "1024",
  "clblast_device_type": "GPU", "clblast_device_name": "Loom 5",
  "device": "loom", "device_core_clock": "1999",
  "results": [
    {"kernel": "Xgemm", "time": 1.234, "parameters": {$knobs, "NWG": 64, "VWN": 4}},
    {"kernel": "Xgemm", "time": 1.134, "parameters": {$knobs, "NWG": 128, "VWN": 4}},
    {"kernel": "Xgemm", "time": 0.000, "parameters": {$knobs, "NWG": 32, "VWN": 4}},
    {"kernel": "Xgemm", "time": 9.9, "parameters": {$knobs, "NWG": 77, "VWN": 4}}
  ]
}
JSON
expect 3 "no backend 'none'" history import clblast_xgemm_1_32.json --t1 gemm.json --backend none --output i.history
expect 0 'clblast_xgemm_1_32.json: 2 trials added, of 2 configs (0 failed); passed over: 1 outside the space, 1 without a usable time on Loom 5' \
    history import clblast_xgemm_1_32.json --t1 gemm.json --backend quick --output i.history
expect 0 ': 0 trials added' history import clblast_xgemm_1_32.json --t1 gemm.json --backend quick --output i.history
expect 0 '^custom gemm.* Loom 5  *imported  *quick [0-9]*  *-  *2  *0  *1.13 ms' history ls i.history
expect 0 'wrote g.cache.json: 2' history export i.history --format kernel-tuner --output g.cache.json
expect 0 'g.cache.json: 2 trials added' history import g.cache.json --t1 gemm.json --backend quick --output j.history
expect 0 'wrote g.T4.json: 2' history export i.history --format t4 --t1 gemm.json --output g.T4.json
expect 0 'g.T4.json: 2 trials added, .* on Elsewhere' history import g.T4.json --t1 gemm.json --backend quick --output j.history --device Elsewhere
expect 2 'found none of them' history import gemm.json --t1 gemm.json --backend quick --output j.history
expect 2 '"parameters" is nothing' history import "$(sed 's/parameters/elsewise/' clblast_xgemm_1_32.json >bad.json && echo bad.json)" --t1 gemm.json --backend quick --output j.history

# -- strangers --
bad="\\\\u001b]0;x\\\\u0007\\\\u009b31m"
new evil.history
trial evil.history 1 "dense${bad}" "${bad}A" "$bad" ok 1e-3
trial evil.history 2 "$fc" "=cmd|'/c calc'!A1" "@x" compile null "${bad}\\n<script>"
expect 0 "'=cmd" history export evil.history
hasnt '"[=+@-]'
has "\"'@x\""
for verb in "ls evil.history" "export evil.history" "export evil.history --format t4 --task 64" \
    "export evil.history --format kernel-tuner --task 64" "export evil.history --format t4" "show evil.history" "ls evil.history --json" "show evil.history --json" \
    "diff evil.history a.history" "diff a.history evil.history --json" \
    "merge --output e2.history evil.history" "gc --dry-run evil.history"; do
    # shellcheck disable=SC2086
    "$anole" history $verb >out 2>err
    check "history $verb sends no escapes" '! cat out err | LC_ALL=C grep -q "[$escape$(printf "\007\233")]"'
done
expect 0 '^2 trials' history ls evil.history
i=0
new many.history
while [ $i -lt 12 ]; do
    echo "line $i" >>many.history
    i=$((i + 1))
done
expect 0 '4 more damaged lines' history ls many.history
exit $failed
