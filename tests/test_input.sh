#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Input that is hostile, broken or absurd: refused with exit code 2, a message, and
# no control character on the terminal; never with a crash, and never slowly.
set -u
. "${srcdir:-.}/tests/faults/script.sh"
only simulated
esc=$(printf '\033')

# Whatever is said, the terminal is safe: nothing but text and newlines.
safe() {
    if cat out err | LC_ALL=C tr -d '\n\t' | LC_ALL=C grep -q '[[:cntrl:]]'; then
        fail "$*: a control character reaches the terminal"
    fi
}
refuse() {
    expect 2 "$@"
    safe "$@"
}
layer() {
    printf '{"name": "n", "layers": [{"name": "in", "kind": "input", "shape": [%s]},
{"name": "%s", "kind": "%s", %s}]}\n' "$1" "$2" "$3" "$4" >case.json
}

# -- dimensions --
while read -r shape; do
    layer "$shape" d dense '"channels": 4'
    refuse 'line 1\|:1: \|"shape"' "$anole" tasks case.json
done <<'SHAPES'
0, 1, 1, 3
1, 1, 1, 0
-1, 1, 1, 3
1, 1, 1, -3
1, 1, 1, 2147483648
1, 1099511627776, 1, 3
1, 1, 1, 9223372036854775807
1, 1, 1, 9223372036854775808
1, 1, 1, 1e3
1, 1, 1, "3"
1, 65536, 65536, 65536
2147483647, 2147483647, 2147483647, 2147483647
SHAPES
while read -r fields; do
    layer '1, 8, 8, 4' c conv2d "$fields"
    refuse 'layer "c"' "$anole" tasks case.json
done <<'FIELDS'
"channels": 0, "kernel": 3
"channels": -8, "kernel": 3
"channels": 2147483648, "kernel": 3
"channels": 1099511627776, "kernel": 3
"channels": 8, "kernel": 0
"channels": 8, "kernel": 2147483648
"channels": 8, "kernel": 3, "stride": 0
"channels": 8, "kernel": 3, "stride": -1
"channels": 8, "kernel": 3, "padding": -1
"channels": 8, "kernel": 3, "dilation": 1099511627776
"channels": 8, "kernel": 3, "groups": 0
"channels": 8, "kernel": 3, "groups": 3
"channels": 8, "kernel": 9
FIELDS

# -- names --
for name in 'a\nb' 'a\u001b[31mb' '\u202e' '\u0000' '' 'a\u007f'; do
    layer '1, 1, 1, 3' "$name" dense '"channels": 4'
    refuse 'case.json' "$anole" tasks case.json
done
layer '1, 1, 1, 3' d "den\\u001b[2Jse" '"channels": 4'
refuse 'unknown kind' "$anole" tasks case.json
layer '1, 1, 1, 3' d dense '"chan\u001b]0;x\u0007nels": 4'
refuse 'unknown key' "$anole" tasks case.json
refuse 'no such file' "$anole" tasks "no${esc}[31msuch.json"
refuse 'unknown verb' "$anole" "tu${esc}[31mne"
refuse 'unknown option' "$anole" tune "--ti${esc}[31me" 3
refuse 'duration' "$anole" tune case.json --time "3${esc}[31m"
expect 3 'no device' "$anole" tune "$networks/tiny.json" --device "x${esc}[31m" --trials 1
safe device
dense 1 net.json
refuse 'is no history' "$anole" tune net.json --trials 1 --history case.json --output o.json
cp net.json "net${esc}[31m.json"
expect 0 'task' "$anole" tasks "net${esc}[31m.json"
safe "a file's name"

# -- depth, duplicates, what is no JSON --
for depth in 1000 100000; do
    awk -v n=$depth 'BEGIN { for (i = 0; i < n; i++) printf "["; print "" }' >case.json
    refuse 'case.json' "$anole" tasks case.json
    awk -v n=$depth 'BEGIN { printf "{\"name\": \"n\", \"layers\": "; for (i = 0; i < n; i++)
        printf "["; for (i = 0; i < n; i++) printf "]"; print "}" }' >case.json
    refuse 'case.json' "$anole" tasks case.json
    refuse 'case.json' "$anole" best case.json
done
printf '{"name": "n", "name": "m", "layers": []}' >case.json
refuse 'duplicate' "$anole" tasks case.json
layer '1, 8, 8, 4' c conv2d '"channels": 8, "kernel": 3, "kernel": 5'
refuse 'duplicate' "$anole" tasks case.json
dense 2 case.json && sed 's/"d2"/"d1"/' case.json >twice.json
refuse 'same name' "$anole" tasks twice.json
printf '\000\001\002\377' >case.json
refuse 'not JSON' "$anole" tasks case.json
printf '{"name": "\377\376", "layers": []}' >case.json
refuse 'case.json' "$anole" tasks case.json
: >case.json
refuse 'empty' "$anole" tasks case.json
refuse 'empty' "$anole" best case.json

# -- what is no file, or far too much of one --
mkdir a-folder
mkfifo a-fifo
truncate -s 5G huge.json
cp net.json dup.json
for what in a-folder a-fifo huge.json /dev/zero; do
    refuse "$what" timeout 300 "$anole" tasks $what
    refuse "$what" timeout 300 "$anole" best $what
    refuse "$what" timeout 300 "$anole" tune net.json --trials 1 --history $what --output o.json
    refuse "$what" timeout 300 "$anole" tune net.json --trials 1 --baseline $what --output o.json
    refuse "$what" timeout 300 "$anole" best --failures $what
    refuse "$what" timeout 300 "$anole" replay-trial $what 1
done
refuse 'a-folder' timeout 300 "$anole" tune net.json --trials 1 --output a-folder
refuse 'a-fifo' timeout 300 "$anole" tune net.json --trials 1 --output a-fifo
refuse 'no such' "$anole" tasks ''

# -- budgets --
for time in nan inf -1 0 1e400 1e9d 0x10 '1 h' 3mm ''; do
    refuse 'expected\|duration' "$anole" tune net.json --time "$time"
done
for number in 0 -1 nan 1.5 99999999999999999999 0x10 ''; do
    refuse 'expected' "$anole" tune net.json --trials "$number"
    refuse 'expected' "$anole" tune net.json --threads "$number"
done

# -- large, and not slow: whatever is quadratic in the layers takes minutes --
# Of processor time: a machine may have other work.
soon() {
    sh -c 'ulimit -t 60; exec "$@"' sh "$@"
}
awk 'BEGIN { print "{\"name\": \"wide\", \"layers\": [{\"name\": \"in\", \"kind\": \"input\", \"shape\": [1, 1, 1, 3]}";
    for (i = 1; i < 100000; i++) printf ",{\"name\": \"d%d\", \"kind\": \"dense\", \"inputs\": \"in\", \"channels\": %d}\n", i, i;
    print "]}" }' >large.json
expect 0 '99,999\|99999' soon "$anole" tasks large.json
awk 'BEGIN { print "{\"name\": \"chain\", \"layers\": [{\"name\": \"in\", \"kind\": \"input\", \"shape\": [1, 4, 4, 8]}";
    for (i = 0; i < 99999; i++) printf ",{\"name\": \"layer%d\", \"kind\": \"conv2d\", \"channels\": 8, \"kernel\": 1}\n", i;
    print "]}" }' >same.json
expect 0 'chain\|conv' soon "$anole" tasks same.json
sed 's/"layer9"/"layer8"/' same.json >twice.json
refuse 'same name' soon "$anole" tasks twice.json
sed '$d' same.json >cut.json
refuse 'not JSON' soon "$anole" tasks cut.json
sed 's/"name": "layer99998", /"name": "last", "inputs": "layer99989x", /' same.json >near.json
refuse 'does not exist' soon "$anole" tasks near.json
expect 0 'wrote o.json' soon "$anole" tune same.json --trials 2 --output o.json
awk '/"task":/ { at = index($0, "o8 f32"); before = substr($0, 1, at); behind = substr($0, at + 2)
        for (i = 1; i <= 100000; i++) print before i behind (i < 100000 ? "," : ""); next }
    { print }' o.json >large.lock.json
expect 0 'sum over layers' soon "$anole" best large.lock.json
exit $failed
