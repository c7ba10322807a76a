#!/bin/sh
# SPDX-License-Identifier: MIT
#
# anole doctor in surroundings that are made up: each fault is found, and the
# command that mends it named.
set -u
. "${srcdir:-.}/tests/faults/script.sh"
real=${ANOLE_PLUGIN_PATH:-}
doctor() {
    "$anole" doctor "$@"
}
json() {
    doctor --json "$@" >json 2>/dev/null
}

expect 0 'Usage: anole doctor' doctor --help
expect 2 'did you mean --json' doctor --jsn

# -- all is well --
only good
expect 0 'good:0: device: Test Device' doctor
expect 0 'skipped  good:0: diagnosis' doctor
expect 0 'kernel cache: can be written' doctor
check 'all is well, and JSON says so' 'json && grep -q "\"faults\": 0" json'
expect 3 'good:9' doctor --device good:9

# -- backends, drivers --
only magic good
expect 2 'FAULT .*magic.so: backend: .*wrong magic' doctor
only drivers
expect 2 'FAULT .*drivers crash: driver: .*SIGABRT' doctor
expect 2 'FAULT .*drivers broken: driver: its library is too old' doctor
expect 2 'fine .*drivers:2: device' doctor
only examined
expect 3 'FAULT .*examined:0: diagnosis: .*SIGSEGV .*while being examined' doctor
expect 3 'note .*backend examined: disposition: moody' doctor
expect 3 'mend it with: a kind word' doctor
check 'no control character reaches the terminal' \
    '! doctor 2>&1 | tr -d "\n" | LC_ALL=C grep -q "[[:cntrl:]]"'
only magic
expect 3 'no device to tune for' doctor
mkdir empty
ANOLE_PLUGIN_PATH=$folder/empty
expect 3 'there is no backend in' doctor
only good
expect 3 'anole-worker: start' env ANOLE_WORKER=/nonexistent/anole-worker "$anole" doctor

# -- folders --
expect 2 "history's folder: .*cannot be created" doctor --history nowhere/net.history
expect 2 'mend it with: .*--history' doctor --history nowhere/net.history
expect 0 "history's folder: can be written" doctor --history net.history
expect 2 'kernel cache' env TMPDIR=/nonexistent "$anole" doctor
expect 2 'TMPDIR=' env TMPDIR=/nonexistent "$anole" doctor

# -- OpenCL --
if [ -n "$real" ] && [ -e "$real/cpu.so" ]; then
    rm -rf backends
    ANOLE_PLUGIN_PATH=$real
    unset ANOLE_PLUGIN_DIR
    mkdir no-icd
    expect 3 'ICD files: the loader is told of no driver' env OCL_ICD_VENDORS="$folder/no-icd" \
        "$anole" doctor
    expect 3 'mend it with: unset OCL_ICD_VENDORS' env OCL_ICD_VENDORS="$folder/no-icd" \
        "$anole" doctor
    mkdir bad-icd
    echo libno-such-driver.so >bad-icd/bad.icd
    expect 3 'library: libno-such-driver.so cannot be loaded' \
        env OCL_ICD_VENDORS="$folder/bad-icd" "$anole" doctor
    : >bad-icd/bad.icd
    expect 3 'names no library' env OCL_ICD_VENDORS="$folder/bad-icd" "$anole" doctor
    doctor --device cpu:0 >out 2>err
    check 'a kernel runs on the CPU' 'grep -q "^fine *cpu:0: kernel with a barrier" out'
    check 'its timer is checked' 'grep -q "^[a-z]* *cpu:0: event timer: " out'
    check 'noise is measured' 'grep -q "^[a-z]* *cpu:0: noise floor: " out'
    check 'pinning is looked at' 'grep -q "^[a-z]* *cpu:0: pinning: " out'
fi
exit $failed
