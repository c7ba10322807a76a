#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A soak: one tuning run that goes on for $SOAK seconds (default 3600) while every few seconds
# something fails, drawn at random: workers and the tuner are killed, everything stands still, disks
# are full, the driver fails, hangs or loses its device.  A tuner that ends is started again.  In the
# end each trial that was ever finished is in the history, once, and whatever it says of a kernel
# is so on a sound machine as well.  $SEED repeats the order of faults.  Needs root, for disks of
# its own.  `make soak` runs it; `make check` does not.
set -u
if [ -z "${SOAK_INSIDE:-}" ]; then
    [ "$(id -u)" -eq 0 ] || { echo "skipped: not root" && exit 77; }
    SOAK_INSIDE=1 exec unshare -m sh "$0" "$@"
fi
real=${ANOLE_PLUGIN_PATH:-$PWD/plugins/.libs}
. "${srcdir:-.}/tests/faults/script.sh"
need_pocl
faulty=$plugins/faulty_driver.driver
[ -e "$faulty" ] || { echo "skipped: the faulty driver is not built: make check TESTS=" && exit 77; }
soak=${SOAK:-3600}
seed=${SEED:-$$}
trap 'umount "$folder/scratch" "$folder/journal" 2>/dev/null; rm -rf "$folder"' EXIT

mkdir icd scratch journal
mount -t tmpfs -o size=96m none scratch && mount -t tmpfs -o size=8m none journal || exit 77
echo "$faulty" >icd/faulty.icd
: >plan
export ANOLE_PLUGIN_PATH="$real" ANOLE_PLUGIN_DIR= OCL_ICD_VENDORS="$folder/icd" \
    OCL_ICD_FILENAMES= FAULTY_DRIVER="$(head -n 1 "$pocl")" FAULTY_STATE="$folder/state" \
    FAULTY_PLAN="@$folder/plan" TMPDIR="$folder/scratch" ANOLE_TEST_MARK="soak.$$"
history=journal/net.history

# A number below $1.
random() {
    seed=$(((seed * 1103515245 + 12345) % 2147483648))
    drawn=$((seed / 65536 % $1))
}

# What the tuner started and it: all processes with the mark but this script and its commands.
marked() {
    for environ in $(grep -l "ANOLE_TEST_MARK=soak.$$" /proc/[0-9]*/environ 2>/dev/null); do
        process=${environ%/environ}
        case $(cat "$process/comm" 2>/dev/null) in anole*) echo "${process#/proc/}" ;; esac
    done
}
workers() {
    for guard in $(cat "/proc/$tuner/task/"*/children 2>/dev/null); do
        cat "/proc/$guard/task/"*/children 2>/dev/null
    done
}

start() {
    "$anole" tune "$networks/tiny.json" --device cpu --threads 1 --time "${soak}s" \
        --history $history --output journal/net.lock.json >out 2>err </dev/null &
    tuner=$!
    starts=$((starts + 1))
}

# The tuner has ended; with what it may end with when the machine fails?
ended() {
    code=0
    wait "$tuner" || code=$?
    case $code in
    0 | 1 | 3 | 130 | 137 | 143) ;;
    *)
        fail "the tuner ended with $code, and:"
        show
        ;;
    esac
}

# Nothing that was acknowledged is lost or changed.
look() {
    [ -e $history ] || return
    { sed '$d' $history && tail -n 1 $history | grep '"crc":"[0-9a-f]*"}$'; } >now
    head -n "$(wc -l <before)" now | cmp -s - before || fail "lines that were whole have changed or gone"
    mv now before
}

fault() {
    random 11
    case $drawn in
    0 | 1) kind='a worker is killed' && kill -KILL $(workers | head -n 1) 2>/dev/null ;;
    2) kind='all workers are killed' && kill -KILL $(workers) 2>/dev/null ;;
    3) kind='the tuner is killed' && kill -KILL $tuner 2>/dev/null ;;
    4) kind='the tuner is told to end' && kill -TERM $tuner 2>/dev/null ;;
    5)
        random 40
        kind="everything stands still for $drawn s"
        stopped=$(marked)
        kill -STOP $stopped 2>/dev/null
        sleep "$drawn"
        kill -CONT $stopped 2>/dev/null
        ;;
    6)
        kind='the scratch folder is full'
        dd if=/dev/zero of=scratch/ballast bs=1M 2>/dev/null
        sleep 4
        rm -f scratch/ballast
        ;;
    7)
        kind="the journal's disk is full"
        dd if=/dev/zero of=journal/ballast bs=64k 2>/dev/null
        sleep 4
        rm -f journal/ballast
        ;;
    8) break_driver 'build:0-:error:-11' 4 ;;
    9) break_driver 'launch:0-:error:-36' 4 ;;
    10)
        random 4
        case $drawn in
        0) break_driver 'launch:0-:lose:6' 1 ;;
        1) break_driver 'finish:0-:exit:3' 2 ;;
        2) break_driver 'build:0-:abort' 2 ;;
        3) break_driver 'launch:0-:hang' 3 ;;
        esac
        ;;
    esac
    echo "$(($(date +%s) - begin)) s: $kind; $(trials $history 2>/dev/null) trials"
    faults=$((faults + 1))
}
break_driver() {
    kind="the driver: $1 for $2 s"
    echo "$1" >plan
    sleep "$2"
    : >plan
}

starts=0 faults=0 tuner=0
: >before
begin=$(date +%s)
start
while [ $(($(date +%s) - begin)) -lt "$soak" ]; do
    random 6
    sleep $((drawn + 1))
    kill -0 $tuner 2>/dev/null && fault
    if ! kill -0 $tuner 2>/dev/null; then
        ended
        look
        start
    fi
done
kill -TERM $tuner 2>/dev/null
ended
look

echo "$faults faults, $starts starts, $(trials $history) trials in $(($(date +%s) - begin)) s"
check 'there was something to survive' '[ $faults -gt $((soak / 20)) ]'
check 'trials were made all the same' '[ "$(trials $history)" -gt 5 ]'
expect 0 'wrote' "$anole" tune "$networks/tiny.json" --device cpu --threads 1 --history $history \
    --trials $(($(trials $history) + 12)) --output journal/net.lock.json
look
check 'each trial is there once' '[ -z "$(repeated $history)" ]'
check 'the results hold' '"$anole" verify journal/net.lock.json --device cpu >out 2>err || [ $? -eq 6 ]'
check 'no process is left' '[ -z "$(marked)" ]'

# What is laid to a kernel must be the kernel's: it fails again where nothing else does.
grep '"outcome"' $history | grep -v '"outcome":"\(ok\|begun\|withdrawn\)"' >blamed || true
charged=0
for id in $(sed -n 's/.*"id":\([0-9]*\).*/\1/p' blamed); do
    if "$anole" replay-trial $history "$id" >out 2>err; then
        echo "charged wrongly: trial $id:"
        sed 's/^/    /' out
        charged=$((charged + 1))
    fi
done
echo "$(wc -l <blamed) failures, $charged of them wrongly laid to a kernel"
check 'no kernel is charged with what the machine did' '[ $charged -eq 0 ]'
exit $failed
