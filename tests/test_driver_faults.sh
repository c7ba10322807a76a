#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Drivers that fail, beneath the real backends: PoCL beside a PoCL that is made to go
# wrong (tests/faults/faulty_driver.c).  Each fault ends as the outcome of one trial, or
# with a message that names the device; whatever it is, the rest is tuned.
real=${ANOLE_PLUGIN_PATH:-$PWD/plugins/.libs}
. "${srcdir:-.}/tests/faults/script.sh"
set -u
need_pocl
faulty=$plugins/faulty_driver.driver
if [ ! -e "$faulty" ] || [ ! -e "$real/cpu.so" ]; then
    echo "skipped: the cpu backend is not there"
    exit 77
fi
mkdir icd
cp "$pocl" icd/a-sound.icd
echo "$faulty" >icd/b-faulty.icd
ANOLE_PLUGIN_PATH=$real ANOLE_PLUGIN_DIR=
OCL_ICD_VENDORS=$folder/icd OCL_ICD_FILENAMES=
FAULTY_DRIVER=$(head -n 1 "$pocl") FAULTY_STATE=$folder/state FAULTY_PLAN=
export ANOLE_PLUGIN_PATH ANOLE_PLUGIN_DIR OCL_ICD_VENDORS OCL_ICD_FILENAMES FAULTY_DRIVER \
    FAULTY_STATE FAULTY_PLAN
cat >net.json <<END
{"name": "net", "layers": [
  {"name": "data", "kind": "input", "shape": [1, 8, 8, 8]},
  {"name": "conv", "kind": "conv2d", "channels": 16, "kernel": 3, "padding": 1}]}
END

# fault CODE PATTERN PLAN ARGUMENT...: tunes from nothing on the faulty device, and
# whatever comes on top.
fault() {
    code=$1 pattern=$2 FAULTY_PLAN=$3
    shift 3
    echo "-- $FAULTY_PLAN"
    rm -f state net.history net.lock.json
    expect "$code" "$pattern" "$anole" tune net.json --threads 1 --device "$@"
}
# outcome COUNT OUTCOME [MESSAGE]: of the faulty device's trials.
outcome() {
    found=$(grep '"Faulty driver"' net.history | grep "\"outcome\":\"$2\"" | grep -c "${3:-}")
    check "$1 times $2 ${3:-}" "[ $found -eq $1 ]"
}
# The sound device has all of its trials (sound [COUNT]), and is in the lock file.
sound() {
    count=${1:-2}
    check 'the sound device is tuned' \
        '[ "$(grep -c "Portable Computing.*\"ok\"" net.history)" = $count ] &&
            grep -q "Portable Computing" net.lock.json'
}

# -- The compiler hangs: waited for by the half-minute, so beside all the rest --
hang_at_the_probe() {
    [ -e "$real/gpu.so" ] || return
    # That of the gpu backend builds a kernel, the first of all.
    export ANOLE_GPU_ANY_DEVICE=1
    fault 3 'no device "gpu:1".*longer than 30 s.*left out' build:1-1:hang gpu:1 \
        --device cpu:0 --trials 2
    sound
}
hang_once() {
    fault 0 'B  cpu:0' build:5-5:hang cpu:1 --device cpu:0 --trials 6
    outcome 6 ok
    sound 6
}
# In the last batch of trials, and in the final comparison.
hang_from_then_on() {
    fault 1 'cpu:1.*a kernel that has worked before does so no more.*building' build:5-:hang cpu:1 \
        --device cpu:0 --trials 7
    measured=$(grep -c '"Faulty driver".*"outcome":"ok"' net.history)
    check 'what was measured is kept, and no build that hung is laid to a kernel' \
        '[ $measured -ge 4 ] && [ "$(grep -c "Faulty driver" net.history)" = $measured ]'
    sound 7
    FAULTY_PLAN=
    expect 0 wrote "$anole" tune net.json --threads 1 --device cpu:1 --trials 7
    check 'the same command makes the rest, each once' \
        '[ "$(grep -c "Faulty driver.*\"outcome\":\"ok\"" net.history)" = 7 ] &&
            [ -z "$(grep Faulty net.history | sed "s/.*\(\"knobs\":{[^}]*}\).*/\1/" | sort | uniq -d)" ]'
    check 'and what was tuned is in the lock file' 'grep -q "Faulty driver" net.lock.json'
    cp net.lock.json made.lock.json
    FAULTY_PLAN=build:1-:error:-11
    expect 1 'no kernel works here, not even a small one' \
        "$anole" tune net.json --threads 1 --device cpu:1 --trials 7
    check 'and stays there when nothing can be compared' 'cmp -s made.lock.json net.lock.json'
}
# beside CASE: in a folder of its own.
beside() (
    mkdir "$1"
    cp -R net.json icd "$1/"
    cd "$1" || exit 1
    FAULTY_STATE=$PWD/state OCL_ICD_VENDORS=$PWD/icd
    "$1" >words 2>&1
    exit $failed
)
hangs='hang_at_the_probe hang_once hang_from_then_on'
for case in $hangs; do
    beside "$case" &
    eval "$case=\$!"
done

# -- One trial goes wrong: when it is made again it does not, so that it was not its kernel --
fault 0 'B  cpu:0' launch:9-9:exit:3 cpu:1 --device cpu:0 --trials 2
outcome 2 ok
sound
fault 0 wrote launch:9-9:abort cpu:1 --trials 2
outcome 2 ok
fault 0 wrote finish:12-12:hang cpu:1 --trials 2
outcome 2 ok
fault 0 wrote launch:9-9:error:-54 cpu:1 --trials 2
outcome 2 ok
# Of so many trials, some need a build of their own.
fault 0 wrote build:3-3:error:-11 cpu:1 --trials 7
outcome 7 ok

# -- One that comes again, when others work, is its kernel's --
fault 0 wrote 'build:1-1:error:-11 build:3-3:error:-11' cpu:1 --trials 2
outcome 1 compile
outcome 1 ok
fault 0 wrote 'build:1-1:exit:3 build:3-3:exit:3' cpu:1 --trials 2
outcome 1 crash 'exited with code 3'
outcome 1 ok

# -- The device is lost with a run, and there again: that trial has another chance --
fault 0 wrote finish:12-12:error:-9999 cpu:1 --trials 2
outcome 2 ok
fault 0 wrote finish:12-13:late:-5 cpu:1 --trials 2
outcome 2 ok
fault 0 'cpu:1.*is lost: .*waiting for it' finish:12-12:lose:2 cpu:1 --trials 3
outcome 3 ok
check 'and that it is back is said' 'grep -q "cpu:1.*is back after" err'
check 'no trial was made twice' '[ -z "$(repeated net.history)" ]'
fault 0 'is back after' context:3-3:lose:1 cpu:1 --trials 7
outcome 7 ok

# -- It never is again --
fault 1 'cpu:1.*was lost, and did not come back within 6 s' launch:9-9:lose:900 cpu:1 \
    --device cpu:0 --time 6s --trials 2
check 'how to go on is said' 'grep -q "go on with:" err && grep -q -e "--device cpu:1" err'
sound

# -- In the final comparison, and in verify: all trials are made, none is lost --
fault 0 wrote '' cpu:1 --trials 6
cp net.history made.history
# The default's time and the winner's, from the comparison.
compared() {
    check 'default and winner are in the lock file' \
        'grep -q "Faulty driver" net.lock.json && grep -q "\"default_seconds\": *[0-9]" net.lock.json'
}
# final CODE PATTERN PLAN ARGUMENT...: tunes on from there: the comparison is all that is left.
final() {
    code=$1 pattern=$2 FAULTY_PLAN=$3
    shift 3
    echo "-- final comparison: $FAULTY_PLAN"
    rm -f state net.lock.json
    cp made.history net.history
    expect "$code" "$pattern" "$anole" tune net.json --threads 1 --device cpu:1 --trials 6 "$@"
    check 'no trial is made again, none is lost' 'cmp -s made.history net.history'
}
final 0 'cpu:1.*is back after' build:1-1:lose:1
compared
final 0 'cpu:1.*is back after' launch:3-3:lose:1
compared
# Not before all are loaded: within a round.
final 0 'cpu:1.*comparison stops' finish:80-80:lose:2
check 'the device is waited for' 'grep -q "cpu:1.*is lost: .*waiting for it" err &&
    grep -q "cpu:1.*is back after" err'
compared
final 0 'cpu:1.*comparison stops: .*exited with code 3' finish:80-80:exit:3
compared
final 0 'cpu:1.*comparison stops: .*longer than' finish:80-80:hang
compared
final 1 'cpu:1.*was lost, and did not come back within 3 s' finish:80-80:lose:900 --time 3s
check 'how to go on is said' 'grep -q "go on with:" err'
check 'there is no lock file of half a comparison' '[ ! -e net.lock.json ]'
final 0 wrote ''
compared
for plan in launch:3-3:lose:1 finish:60-60:lose:1; do
    rm -f state
    FAULTY_PLAN=$plan
    echo "-- verify: $plan"
    # Another case of this test may keep the machine busy: slower is no fault here.
    "$anole" verify net.lock.json --device cpu:1 >out 2>err
    found=$?
    check 'verify ends' '[ $found = 0 ] || [ $found = 6 ]'
    check 'verify waits for the device' 'grep -q "cpu:1.*is back after" err'
    check 'verify finds the kernel right, and compares it' 'grep -q "right.*[0-9]x \\[" out'
done

# -- It is of no use from the start --
fault 1 'cpu:1.*of no use: .*has no compiler' compiler:1-:value:0 cpu:1 --device cpu:0 --trials 2
sound
fault 1 'cpu:1.*of no use: .*CL_DEVICE_NOT_AVAILABLE' context:1-:error:-2 cpu:1 --trials 2
fault 1 'clCreateBuffer of [0-9]* bytes failed' buffer:1-:error:-61 cpu:1 --trials 2
fault 1 'cpu:1.*no kernel works here.*ended the kernel' event:1-:value:-14 cpu:1 --device cpu:0 \
    --trials 2
sound
fault 3 'no device "cpu:1"' devices:1-:error:-1 cpu:1 --trials 2
fault 3 'b-faulty.icd: .*exited with code 9' devices:1-:exit:9 cpu:1 --trials 2
rm -f state
expect 0 '^cpu:0' "$anole" devices
head -c 4096 "$faulty" >"$folder/cut.so"
echo "$folder/cut.so" >icd/b-faulty.icd
expect 0 '^cpu:0' "$anole" devices
fault 3 'b-faulty.icd: .*\(SIGBUS\|exited\)\|cut.so cannot be loaded' '' cpu:1 --trials 2
echo 'no library' >"$folder/cut.so"
expect 0 'cut.so cannot be loaded' "$anole" devices
fault 3 'cut.so cannot be loaded' '' cpu:1 --trials 2
fault 0 wrote '' cpu:0 --trials 2
echo "$faulty" >icd/b-faulty.icd

# -- What it says of itself cannot be --
fault 0 wrote 'units:1-:value:0 allocation:1-:value:-1 group:1-:value:0' cpu:1 --trials 2
outcome 2 ok

# -- The gpu backend: what a built kernel can be launched with --
if [ -e "$real/gpu.so" ]; then
    export ANOLE_GPU_ANY_DEVICE=1
    # The first inquiry is about a kernel of the probe's own.
    fault 1 'no kernel works here.*takes too many registers' kernel_group:2-:value:1 gpu:1 --trials 1
    fault 0 'is back after' finish:12-12:lose:1 gpu:1 --trials 2
    outcome 2 ok
fi

# -- What the compilers that hang came to --
for case in $hangs; do
    eval "wait \$$case" || failed=1
    cat "$case/words"
done
exit $failed
