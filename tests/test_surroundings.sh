#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What kernels are made in, when that is broken: folders, limits, processes.  It is never laid to a
# kernel: the run stops, or waits, says why, and keeps no failure.
set -u
. "${srcdir:-.}/tests/faults/script.sh"
real=${ANOLE_PLUGIN_PATH:-}
only good
dense 3 net.json
tune() {
    "$anole" tune net.json --trials 12 --history net.history --output out.lock.json
}
# No failure of a kernel's is in the history.
blameless() {
    check "$1: nothing is laid to a kernel" \
        '[ ! -e net.history ] || ! grep -q "\"outcome\":\"\(crash\|timeout\|launch\|compile\|lost\)\"" net.history'
}
goes_on() {
    expect 0 'wrote out.lock.json' tune
    check "after $1: all trials are there" '[ "$(trials net.history)" -eq 12 ]'
    rm -f net.history out.lock.json
}

# -- streams that are closed: no file gets their numbers --
for closed in '2>&-' '<&- 2>&-' '>&-' '<&- >&- 2>&-'; do
    only good
    case $closed in *'>&- 2'* | '>&-') code=1 ;; *) code=0 ;; esac
    sh -c "exec \"\$@\" $closed" sh "$anole" tune net.json --trials 12 --history net.history \
        --output out.lock.json >out 2>err </dev/null
    found=$?
    check "with $closed: exit code $code" '[ $found -eq $code ]'
    check "with $closed: the history is whole" \
        '[ "$(trials net.history)" -eq 12 ] && [ "$(wc -l <net.history)" -eq 13 ]'
    check "with $closed: and the lock file" '"$anole" best out.lock.json >/dev/null 2>&1'
    rm -f net.history out.lock.json
done
expect 1 'No space left' sh -c 'exec "$@" >/dev/full' sh "$anole" --help
expect 1 'No space left' sh -c 'exec "$@" >/dev/full' sh "$anole" --version
expect 1 'No space left' sh -c 'exec "$@" >/dev/full' sh "$anole" tune --help

# -- seen before anything is tried --
expect 1 'a file of 4 MB cannot be written there: File too large' \
    sh -c 'ulimit -f 2000; exec "$@"' sh "$anole" tune net.json --trials 12 \
    --history net.history --output out.lock.json
blameless 'a limit on files'
expect 2 'FAULT .*kernel cache: .*cannot be written' sh -c 'ulimit -f 2000; exec "$@"' sh "$anole" doctor
goes_on 'a limit on files'
if unshare -m true 2>/dev/null; then
    mkdir noexec
    expect 1 'libraries cannot be loaded' unshare -m sh -c 'mount -t tmpfs -o noexec none noexec
        TMPDIR=$PWD/noexec exec "$@"' sh "$anole" tune net.json --trials 12 --history net.history
    expect 1 'cannot be written there: No space' unshare -m sh -c 'mount -t tmpfs -o size=1M none noexec
        TMPDIR=$PWD/noexec exec "$@"' sh "$anole" tune net.json --trials 12 --history net.history
    expect 1 'fewer than' unshare -m sh -c 'mount -t tmpfs -o nr_inodes=20 none noexec
        TMPDIR=$PWD/noexec exec "$@"' sh "$anole" tune net.json --trials 12 --history net.history
    blameless 'a folder that will not do'
    rm -f net.history
fi

# -- a driver with which nothing works: seen at the first failure --
for deed in no_compile crash_build crash_run exit_run refuse_run; do
    only $deed
    expect 1 'no kernel works here, not even a small one' "$anole" tune net.json --device $deed:0 \
        --trials 12 --history net.history --output out.lock.json
    blameless "$deed"
    expect 3 "FAULT .*$deed:0: tuning's own kernel: " "$anole" doctor
    rm -f net.history
done

# -- what breaks during a run --
cat >slow.json <<'JSON'
{"name": "slow", "layers": [{"name": "in", "kind": "input", "shape": [1, 32, 32, 16]},
{"name": "a", "kind": "conv2d", "channels": 64, "kernel": 3}, {"name": "b", "kind": "conv2d", "channels": 64, "kernel": 3}]}
JSON
# beside COMMAND...: again and again, beside the tuner, which is $tuner.
beside() {
    TMPDIR=$folder "$anole" tune slow.json --device good:0 --trials 16 --history net.history --output out.lock.json \
        >out 2>err </dev/null &
    tuner=$!
    while kill -0 $tuner 2>/dev/null; do "$@"; done
    wait $tuner
    found=$?
}
kill_a_worker() {
    sleep 0.1
    [ -e net.history ] || return # not while devices are looked for: then there is none
    for guard in $(cat /proc/$tuner/task/*/children 2>/dev/null); do
        for worker in $(cat /proc/$guard/task/*/children 2>/dev/null); do
            kill -9 $worker 2>/dev/null && kills=$((kills + 1)) && return
        done
    done
}
if [ -r /proc/$$/task/$$/children ]; then
    only good
    kills=0
    beside kill_a_worker
    echo "$kills kills, exit code $found"
    check 'workers that are killed: some were' '[ $kills -gt 3 ]'
    # On a machine that is slow enough, no kernel is done before its worker is killed.
    check 'workers that are killed: the run ends' \
        '[ $found -eq 0 ] || [ $found -eq 1 ] || { [ $found -eq 4 ] && grep -q "SIGKILL" err; }'
    blameless 'workers that are killed'
    check 'workers that are killed: nothing stands there twice' '[ -z "$(repeated net.history)" ]'
    expect 0 'wrote out.lock.json' "$anole" tune slow.json --device good:0 --trials 16 --history net.history \
        --output out.lock.json
    # All that the backend's space has for these two layers.
    check 'workers that are killed no more: all trials are there' '[ "$(trials net.history)" -eq 14 ]'
    blameless 'workers that are killed no more'
    check 'workers that are killed no more: nothing stands there twice' '[ -z "$(repeated net.history)" ]'
    rm -f net.history out.lock.json
fi
if [ -e "$real/cpu.so" ]; then
    rm -rf backends
    ANOLE_PLUGIN_PATH=$real
    TMPDIR=$folder "$anole" tune "$networks/tiny.json" --device cpu --trials 8 --history net.history \
        --output out.lock.json >out 2>err </dev/null &
    tuner=$!
    while [ ! -e net.history ] || [ "$(trials net.history)" -lt 2 ]; do
        kill -0 $tuner 2>/dev/null || break
        sleep 0.1
    done
    rm -rf "$folder"/anole-??????
    wait $tuner
    found=$?
    check 'a scratch folder that is removed: the run goes on' '[ $found -eq 0 ]'
    check 'a scratch folder that is removed: all trials are made' '[ "$(trials net.history)" -eq 8 ]'
    blameless 'a scratch folder that is removed'
fi
only good
expect 0 "fine .*good:0: tuning's own kernel: built, run, and right" "$anole" doctor
exit $failed
