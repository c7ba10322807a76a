#!/bin/sh
# SPDX-License-Identifier: MIT
#
# `anole compare` on lock files with known times.  One line a case; exits 1 if one
# failed.
set -u
. "${srcdir:-.}/tests/script.sh"
program=$anole

has() {
    if grep -q -e "$1" out; then
        echo "ok: $1"
    else
        echo "FAIL: expected '$1' in:"
        sed 's/^/    /' out
        failed=1
    fi
}

conv='conv2d n1 8x8x8 k3x3 s1x1 p1,1,1,1 d1x1 g1 o16 f32 bias relu'
fc='dense n1 i64 o48 f32 bias'
dw='depthwise_conv2d n1 8x8x16 k3x3 s1x1 p1,1,1,1 d1x1 g16 o16 f32 bias'

# task KEY TIMES LOW SECONDS HIGH [TILE [HASH]]
task() {
    printf '{"task": "%s", "multiplicity": %s, "knobs": {"tile": %s}, "seconds": %s, "low": %s, "high": %s, "default_seconds": null, "speedup": null, "speedup_low": null, "speedup_high": null, "tie": false, "source_hash": "%s", "trials": 3}' \
        "$1" "$2" "${6:-4}" "$4" "$3" "$5" "${7:-0123456789abcdef}"
}

# device ID NAME VERSION TASKS
device() {
    printf '{"id": "%s", "backend": "%s", "backend_version": "1", "generator": 1, "device": "%s", "driver": "d", "driver_version": "%s", "threads": 0, "tasks": [%s]}' \
        "$1" "${1%%:*}" "$2" "$3" "$4"
}

# lock NETWORK DEVICES
lock() {
    printf '{"anole_lock": 1, "network": "%s", "network_path": "n.json", "devices": [%s]}\n' "$1" "$2"
}

slow="$(task "$conv" 2 9e-3 10e-3 11e-3), $(task "$fc" 1 1.9e-3 2e-3 2.1e-3)"
fast="$(task "$conv" 2 4e-3 5e-3 6e-3 8), $(task "$fc" 1 1.95e-3 2.05e-3 2.2e-3)"
lock net "$(device cpu:0 Abacus 1 "$slow")" >cpu.lock.json
lock net "$(device gpu:0 Loom 1 "$fast")" >gpu.lock.json
lock net "$(device cpu:0 Abacus 1 "$slow"), $(device gpu:0 Loom 1 "$fast")" >both.lock.json

# -- words and bad input --
expect 0 'Usage: anole compare' compare --help
expect 2 'expected LOCKFILE' compare
expect 2 'did you mean --json' compare cpu.lock.json --jsno
expect 2 'none.json' compare cpu.lock.json none.json
echo '{"anole_lock": 1' >cut.json
expect 2 'cut.json' compare cut.json cpu.lock.json
lock other "$(device cpu:0 Abacus 1 "$slow")" >other.lock.json
expect 2 'is of the network "net", other.lock.json of "other"' compare cpu.lock.json other.lock.json
lock net "$(device gpu:0 Loom 1 "$(task "$conv" 3 1e-3 1e-3 1e-3)")" >thrice.lock.json
expect 2 'occurs 3 times, but 2 times' compare cpu.lock.json thrice.lock.json
lock net "$(device gpu:0 Loom 1 "$(task "$dw" 1 1e-3 1e-3 1e-3)")" >alien.lock.json
expect 2 'no layer that all 2 devices' compare cpu.lock.json alien.lock.json
lock net '' >empty.lock.json
expect 2 'hold no device' compare empty.lock.json
set --
i=0
while [ $i -lt 27 ]; do
    set -- "$@" cpu.lock.json
    i=$((i + 1))
done
expect 2 'more than 26 devices' compare "$@"

# -- side by side: 2 x 10 + 2 = 22 ms against 2 x 5 + 2.05 = 12.05 ms --
for files in 'cpu.lock.json gpu.lock.json' both.lock.json; do
    # shellcheck disable=SC2086 # several files
    expect 0 '^sum  *3  *22.0 ms 100 %  *12.1 ms 100 %  *B 1.83x' compare $files
    has '^A  cpu:0  Abacus, d 1, in '
    has '^conv 3x3/1 8>16 @8x8 relu  *2  *10.0 ms  91 %  *5.00 ms  83 %  *B 2.00x'
    has '^dense 64>48  *1  *2.00 ms   9 %  *2.05 ms  17 %  *A (tie)'
    has 'each layer where it is fastest: 12.0 ms'
    has '^conv2d  *20.0 ms  91 %  *10.0 ms  83 %'
done
expect 0 '"winner": "B"' compare cpu.lock.json gpu.lock.json --json
has '"best_seconds": 0.012'
has '"tie": true'
has '"changes": \[\]'
expect 0 '^sum  *3  *22.0 ms 100 %  *-' compare cpu.lock.json

# -- networks that were run as a whole, with these kernels: "kernels" is their hash --
# whole SECONDS LOW HIGH [KERNELS]
whole() {
    printf '"in_place": {"seconds": %s, "low": %s, "high": %s, "default_seconds": 0.04, "default_low": 0.04, "default_high": 0.04, "speedup": 1.5, "speedup_low": 1.5, "speedup_high": 1.5, "steps": 4, "steps_tuned": 3, "rounds": 9, "kernels": "%s"}, "tasks"' \
        "$1" "$2" "$3" "${4:-5a43dee09bf53536}"
}
lock net "$(device cpu:0 Abacus 1 "$slow" | sed "s/\"tasks\"/$(whole 25e-3 24e-3 26e-3)/")" >cpu-whole.lock.json
lock net "$(device gpu:0 Loom 1 "$fast" | sed "s/\"tasks\"/$(whole 20e-3 19e-3 21e-3)/")" >gpu-whole.lock.json
expect 0 '^in place  *1  *25.0 ms  *20.0 ms  *B 1.25x' compare cpu-whole.lock.json gpu-whole.lock.json
has '^sum  *3  *22.0 ms 100 %  *12.1 ms 100 %  *B 1.83x'
expect 0 '^in place  *1  *25.0 ms  *-  *-' compare cpu-whole.lock.json gpu.lock.json
expect 0 '"in_place": null' compare cpu-whole.lock.json gpu.lock.json --json
has '"steps_tuned": 3'
expect 0 '^in place: 25.0 ms .24.0 ms, 26.0 ms., with default kernels 40.0 ms' best cpu-whole.lock.json
has '3 of 4 steps are tuned, which alone come to 22.0 ms'
lock net "$(device gpu:0 Loom 1 "$fast" | sed "s/\"tasks\"/$(whole 24.5e-3 19e-3 25e-3)/")" >tie-whole.lock.json
expect 0 '^in place .*B (tie)' compare cpu-whole.lock.json tie-whole.lock.json
lock net "$(device cpu:0 Abacus 1 "$slow" | sed "s/\"tasks\"/$(whole 25e-3 24e-3 26e-3 0123456789abcdef)/")" >stale.lock.json
expect 0 '^sum ' compare stale.lock.json
if grep -q '^in place' out; then
    echo 'FAIL: what other kernels took is shown'
    failed=1
fi

# -- a layer that one of them lacks --
lock net "$(device gpu:0 Loom 1 "$(task "$conv" 2 4e-3 5e-3 6e-3)")" >part.lock.json
expect 0 '^dense 64>48  *1  *2.00 ms    -  *-  *-' compare cpu.lock.json part.lock.json
has '^sum  *2  *20.0 ms 100 %  *10.0 ms 100 %'
has '1 of 2 tasks are not in the sum'
expect 0 'null' compare cpu.lock.json part.lock.json --json

# -- before and after --
lock net "$(device cpu:0 Abacus 2 "$(task "$conv" 2 4e-3 5e-3 6e-3 8), $(task "$fc" 1 1.9e-3 2e-3 2.1e-3 4 fedcba9876543210), $(task "$dw" 1 1e-3 1e-3 1e-3)")" >later.lock.json
expect 0 'What changed on cpu:0 from A to B' compare cpu.lock.json later.lock.json
has '^conv 3x3/1 8>16 @8x8 relu  *10.0 ms  *5.00 ms  faster  *2.00x  another config'
has '^dense 64>48  *2.00 ms  *2.00 ms  same  *1.00x  another source'
has '^depthwise .*  -  *1.00 ms  added  *-  -'
has 'the driver went from 1 to 2'
expect 0 '^conv 3x3/1 .* 5.00 ms  *10.0 ms  slower  *0.50x' compare later.lock.json cpu.lock.json
has '^depthwise .*  removed '
expect 0 '"change": "faster"' compare cpu.lock.json later.lock.json --json
has '"same_kernel": false'

# -- timed hot, and cold: said, and no change is read off them --
cold() { printf '%s' "$1" | sed 's/"multiplicity": 2/&, "timing": "cold"/'; }
lock net "$(device gpu:0 Loom 1 "$(cold "$fast")")" >cold.lock.json
expect 0 '^conv .* B 2.00x \*$' compare cpu.lock.json cold.lock.json
has '^dense .*A (tie)$'
has '^sum .* B 1.83x \*$'
has '1 of 2 tasks were timed hot by some'
has '^  A: of these 0 cold, 1 hot'
has '^  B: of these 1 cold, 0 hot'
expect 0 '"timing": "cold"' compare cpu.lock.json cold.lock.json --json
has '"unlike": true'
lock net "$(device cpu:0 Abacus 1 "$(cold "$fast")")" >later-cold.lock.json
expect 0 '^conv .* 10.0 ms  *5.00 ms  timed otherwise  *-  ' compare cpu.lock.json later-cold.lock.json
has '^dense .* same  *0.98x'
expect 0 '"change": "timed otherwise"' compare cpu.lock.json later-cold.lock.json --json
expect 0 '^sum ' compare later-cold.lock.json cold.lock.json
if grep -q '\*' out; then
    echo 'FAIL: what was timed alike is marked'
    failed=1
fi

# -- one device in two precisions: rows are layers, 22 ms against 10.5 ms --
half() { printf '%s' "$1" | sed 's/ f32/ f16/g'; }
halves="$(half "$(task "$conv" 2 4e-3 5e-3 6e-3)"), $(half "$(task "$fc" 1 0.4e-3 0.5e-3 0.6e-3)")"
f16="$(device gpu:0 Loom 1 "$halves" | sed 's/"tasks"/"precision": "fp16", "tasks"/')"
lock net "$(device gpu:0 Loom 1 "$slow"), $f16" >mixed.lock.json
expect 0 '^sum  *3  *22.0 ms 100 %  *10.5 ms 100 %  *B 2.10x' compare mixed.lock.json
has '^A  gpu:0  Loom'
has '^B  gpu:0 fp16  Loom'
has '^dense 64>48  *1  *2.00 ms   9 %  *500 us   5 %  *B 4.00x'
expect 0 '"precision": "fp16"' compare mixed.lock.json --json
has '"changes": \[\]'
lock net "$f16" >half.lock.json
expect 0 '^conv 3x3/1 8>16 @8x8 f16 relu' compare half.lock.json
lock net "$(device gpu:0 Loom 1 "$halves")" >wrong.lock.json
expect 2 'another precision than its device says' compare wrong.lock.json

exit $failed
