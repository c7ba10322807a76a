#!/bin/sh
# SPDX-License-Identifier: MIT
#
# `anole check` on a device whose own clock takes the same time always: a kernel of tile 8 has four
# times the speed of the default, of tile 2.  What was recorded is made up.
set -u
. "${srcdir:-.}/tests/faults/script.sh"
only own_clock
program=$anole
dense 2 net.json

# task KEY TIMES SECONDS DEFAULT SPEEDUP LOW HIGH [DEED [TILE]]
task() {
    printf '{"task": "%s", "multiplicity": %s, "knobs": {"tile": %s, "slow": 0, "deed": %s}, "seconds": %s, "low": %s, "high": %s, "default_seconds": %s, "speedup": %s, "speedup_low": %s, "speedup_high": %s, "tie": false, "source_hash": "0123456789abcdef", "trials": 3, "clock": "own"}' \
        "$1" "$2" "${9:-8}" "${8:-0}" "$3" "$3" "$3" "$4" "$5" "$6" "$7"
}

# entry DRIVER THREADS PRECISION TASKS [VERSION]
entry() {
    printf '{"id": "own_clock:0", "backend": "own_clock", "backend_version": "1.0", "generator": 1, "device": "Test Device 0", "driver": "%s", "driver_version": "%s", "threads": %s, "precision": "%s", "metric": "seconds", "tasks": [%s]}' \
        "$1" "${5:-1.2.3}" "$2" "$3" "$4"
}
own() { entry 'own_clock driver' 0 fp32 "$@"; }

# lock ENTRIES
lock() {
    printf '{"anole_lock": 2, "network": "dense", "network_path": "net.json", "devices": [%s]}\n' "$1"
}

d1='dense n1 i3 o4 f32 bias' d2='dense n1 i4 o5 f32 bias' other='dense n1 i40 o50 f32 bias'
first=$(task "$d1" 1 1.25e-10 5e-10 4 4 4)
second=$(task "$d2" 1 1.25e-10 5e-10 4 4 4)
lock "$(own "$first, $second")" >good.lock
gate() {
    wanted=$1 pattern=$2 baseline=$3
    shift 3
    expect "$wanted" "$pattern" check net.json --baseline "$baseline" --no-in-place --time 50ms "$@"
}
has() { check "$1: $2" "grep -q -e '$2' $1"; }
lacks() { check "$1: no $2" "! grep -q -e '$2' $1"; }

# -- words and bad input --
expect 0 'Usage: anole check' check --help
expect 2 'expected --baseline' check net.json
expect 2 'expected NETWORK' check --baseline good.lock
for tolerance in '' -1 x nan 1e3 0x10 5%% 1.2.3 2000 ' 5'; do
    expect 2 'expected a percentage' check net.json --baseline good.lock --tolerance "$tolerance"
done
expect 2 'none.json' check none.json --baseline good.lock
expect 2 'none.lock' check net.json --baseline none.lock
expect 2 'net.json' check net.json --baseline net.json
for file in good.lock net.json ./net.json; do
    expect 2 'file of its own' check net.json --baseline good.lock --junit $file
    expect 2 'file of its own' check net.json --baseline good.lock --summary $file
done
expect 2 'file of its own' check net.json --baseline good.lock --summary x --junit ./x
check 'nothing was written' '[ ! -e x ] && grep -q anole_lock good.lock'
# Found before anything is measured: before it is known that there is no such device.
expect '[12]' '--junit: .*nowhere' check net.json --baseline good.lock --junit nowhere/x --device none
expect '[12]' '--summary: .*nowhere' check net.json --baseline good.lock --summary nowhere/x --device none
mkdir folder
expect '[12]' '--junit: .*folder' check net.json --baseline good.lock --junit folder --device none

# -- as it was, and with another machine --
gate 0 '^d1  *dense 3>4  *ok  *0.12 ns  *0.12 ns  *4.00x  *4.00x' good.lock --tolerance 5%
has out '^-  *sum of layers  *ok'
has out '^network in place: skipped: it was not wanted'
lock "$(own "$(task "$d1" 1 0.25e-10 1e-10 4 4 4), $(task "$d2" 1 0.25e-10 1e-10 4 4 4)" 0.9)" >machine.lock
gate 0 'the machine: default kernels take 5.00 times as long' machine.lock
has out '^d2 .* ok '
has out '^the driver: 1.2.3, and 0.9 when it was tuned'

# -- slower, faster --
lock "$(own "$first, $(task "$d2" 1 0.5e-10 5e-10 10 9.9 10.1)")" >slow.lock
gate 6 '^d2: dense 4>5: slower: .* it takes +150.0 % \[+147.5, +152.5\]: 4.00x its speed, and 10.00x when it was tuned' slow.lock
has out '^d1 .* ok '
gate 0 '^d2 .* ok ' slow.lock --tolerance 153
gate 6 slower slow.lock --tolerance '147 %'
# The interval reaches into the tolerance; it was wide when it was tuned.
lock "$(own "$first, $(task "$d2" 1 1e-10 5e-10 5 4.1 6)")" >wide.lock
gate 0 '^d2 .* ok ' wide.lock
lock "$(own "$(task "$d1" 1 2.5e-10 5e-10 2 2 2), $(task "$d2" 1 2.5e-10 5e-10 2 2 2)")" >fast.lock
gate 0 '^d2: dense 4>5: faster: .* it takes -50.0 %' fast.lock
has out '^sum of layers: faster'
# No layer is beyond the tolerance by itself where its times were wide, nor is the sum.
lock "$(own "$(task "$d1" 1 5e-10 5e-10 1 1 1 0 2), $second")" >kept.lock
gate 0 '^d1 .*(default kept)' kept.lock
# The default was kept, and is another one now: slower than that, by the same rule.
lock "$(own "$(task "$d1" 1 5e-10 5e-10 1 1 1 0 1), $second")" >left.lock
gate 6 '^d1: dense 3>4: slower' left.lock
lock "$(own "$(task "$d1" 1 5e-10 null null null null 0 1), $second")" >unknown.lock
gate 6 '^d1: dense 3>4: slower: slower than the default, timed in turn: 0.50x' unknown.lock

# -- wrong, failed --
lock "$(own "$(task "$d1" 1 0.5e-10 5e-10 10 10 10), $(task "$d2" 1 1.25e-10 5e-10 4 4 4 15)")" >wrong.lock
gate 5 '^d2: dense 4>5: wrong: ' wrong.lock
has out '^d1: dense 3>4: slower'
for deed in 1 3 7; do
    lock "$(own "$(task "$d1" 1 1.25e-10 5e-10 4 4 4 $deed), $second")" >failed.lock
    gate 4 '^d1: dense 3>4: failed: ' failed.lock
done

# -- layers that are missing, or too many --
lock "$(own "$first, $(task "$other" 1 1e-12 1e-10 100 100 100)")" >part.lock
gate 0 '"reason": "the baseline has nothing of it' part.lock --json
check 'they are counted' 'grep -q "\"missing\": 1" out && grep -q "\"unused\": 1" out'
gate 0 '^1 tasks of part.lock are none of this network' part.lock
lock "$(own "$(task "$other" 1 1e-12 1e-10 100 100 100)")" >alien.lock
gate 2 'has none of the 2 tasks of network "dense"' alien.lock
lock "$(own '')" >empty.lock
gate 2 'has none of the 2 tasks' empty.lock
lock '' >nothing.lock
gate 3 'it holds: nothing' nothing.lock

# -- entries of others --
slow_entry() { entry "$1" "$2" "$3" "$(task "$d1" 1 1e-12 5e-10 500 500 500), $(task "$d2" 1 1e-12 5e-10 500 500 500)"; }
others="$(slow_entry another 0 fp32), $(slow_entry 'own_clock driver' 3 fp32), $(slow_entry 'own_clock driver' 0 fp16 | sed 's/f32/f16/g')"
for entries in "$others, $(own "$first, $second")" "$(own "$first, $second"), $others"; do
    lock "$entries" >several.lock
    gate 0 '^sum of layers\|^-  *sum of layers  *ok' several.lock
done
slow_own=$(own "$(task "$d1" 1 1e-12 5e-10 500 500 500), $second")
fast_entry() { entry "$1" "$2" "$3" "$(task "$d1" 1 5e-10 5e-10 1 1 1), $second"; }
lock "$(fast_entry another 0 fp32), $(fast_entry 'own_clock driver' 3 fp32), $slow_own" >several.lock
gate 6 '^d1: dense 3>4: slower' several.lock
lock "$others" >others.lock
gate 3 'no baseline of Test Device 0 (backend own_clock, driver own_clock driver, all threads' others.lock
has err 'driver another, all threads, fp32); Test Device 0 .*3 threads'
gate 6 slower others.lock --threads 3
gate 3 'no baseline' good.lock --threads 3
gate 3 'no baseline' good.lock --precision fp16
# What `tune --baseline` adds up is its own, too.
tune() { "$anole" tune net.json --trials 2 --history h --output o.lock --no-in-place "$@"; }
lock "$(fast_entry another 0 fp32), $(fast_entry 'own_clock driver' 3 fp32), $slow_own" >several.lock
program=
expect 6 'slower than several.lock' tune --baseline several.lock
program=$anole

# -- files --
files() {
    wanted=$1 pattern=$2 baseline=$3
    shift 3
    gate "$wanted" "$pattern" "$baseline" --junit junit.xml --summary summary.md "$@"
}
parse() {
    python3 - "$@" <<'END'
import sys, xml.etree.ElementTree as tree
suites = tree.parse(sys.argv[1]).getroot()
suite = suites.find("testsuite")
cases = suite.findall("testcase")
failures = [c for c in cases if c.find("failure") is not None]
skipped = [c for c in cases if c.find("skipped") is not None]
assert suites.tag == "testsuites" and len(suites) == 1
assert [int(suite.get(n)) for n in ("tests", "failures", "skipped", "errors")] == [
    len(cases), len(failures), len(skipped), 0], suite.attrib
assert all(c.get("classname") and c.get("name") and float(c.get("time")) >= 0 for c in cases)
found = " ".join(c.find("failure").get("type") for c in failures)
assert found == sys.argv[2], found
END
}
check_files() {
    command -v python3 >/dev/null || return 0
    check "the JUnit file has these failures: $1" "parse junit.xml '$1' 2>err"
    check 'every row of the table has its cells' \
        '! grep "^|" summary.md | sed "s/[^|]//g" | grep -v "^|||||||||$"'
}
files 0 ok good.lock
check_files ''
has junit.xml '<testcase classname="dense" name="d1: dense 3&gt;4" time="0.000000000"/>'
has summary.md '^### Anole: dense on own&#95;clock&#58;0: ok$'
files 6 slower slow.lock
check_files 'slower slower'
has junit.xml '<failure message="against the default.*type="slower">slower: '
has summary.md '| \*\*slower\*\* |'
files 5 wrong wrong.lock
check_files 'slower wrong slower'
files 4 failed failed.lock
check_files failed
files 0 skipped part.lock
check_files ''
has junit.xml '<skipped message="the baseline has nothing of it'
# No verdict: what an earlier run wrote is not left.
files 3 'no baseline' others.lock
command -v python3 >/dev/null && check 'says so' "parse junit.xml 'no verdict'"
has summary.md 'no verdict'
lacks summary.md '^|'
expect 0 ok check net.json --baseline good.lock --no-in-place --time 50ms --json --junit junit.xml
if command -v python3 >/dev/null; then
    check 'JSON' 'python3 -c "import json, sys
d = json.load(open(\"out\"))
assert d[\"verdict\"] == \"ok\" and len(d[\"tasks\"]) == 2 and d[\"tasks\"][0][\"speedup\"] == 4
assert d[\"sum\"][\"change\"] == 1 and d[\"drift\"] == 1 and d[\"in_place\"][\"verdict\"] == \"skipped\""'
fi

# -- the network as a whole, whose times are the machine's; a device that runs nothing --
expect '[06]' '^-  *network in place  *[ofsu][kanl]' check net.json --baseline good.lock --time 50ms
has out '^-  *network in place .* [0-9.]* [mnu]*s '
expect '[06]' 'it has other layers than the baseline\|network in place  *\(slower\|undecided\|faster\)' \
    check net.json --baseline part.lock --time 50ms --json
only simulated
sed 's/own_clock/simulated/g; s/, "clock": "own"//g; s/, "deed": 0//g' good.lock >simulated.lock
expect 0 '^d1: dense 3>4: skipped: the device is simulated' check net.json --baseline simulated.lock --time 50ms
has out '^network in place: skipped: the device is simulated'
only own_clock

# -- hostile texts: those that a network may have, those of a lock file, and a file's name --
nasty='| a | **b** ]]><script>`c`</script> & @all https://x.test www.x.test <!-- {# \uffff\ufffe'
printf '{"name": "%s", "layers": [{"name": "in", "kind": "input", "shape": [1, 1, 1, 3]},
{"name": "d1%s", "kind": "dense", "channels": 4}, {"name": "d2", "kind": "dense", "channels": 5}]}\n' \
    "$(echo "$nasty" | sed 's/\\/\\\\/g')" "$(echo "$nasty" | sed 's/\\/\\\\/g')" >net.json
name=$(printf 'b|<x>\033[1m&"')
lock "$(entry 'own_clock driver' 0 fp32 "$first, $(task "$d2" 1 0.5e-10 5e-10 10 9.9 10.1)" \
    '\\u001b[31m\\nforged '"$(echo "$nasty" | sed 's/\\/\\\\/g')"' \\u009b\\u202e')" >"$name"
check 'it is hostile' 'grep -q "u009b" "$name"'
files 6 slower "$name"
check_files 'slower slower'
for file in out err junit.xml summary.md; do
    check "$file: no control character" "! tr -d '\n' <$file | LC_ALL=C grep -q '[[:cntrl:]]'"
    lacks $file '^forged'
done
check 'no markup' '! grep -q "<script>\|https:\|www\.\|@all\|<!--\|\`c\|\*b" summary.md'
check 'no reordering, no character that XML has not' \
    '! LC_ALL=C grep -q "$(printf "\357\277\276\|\357\277\277\|\342\200\256\|\302\233")" junit.xml'
exit $failed
