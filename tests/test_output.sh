#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Whose results are overwritten: nobody's.  What cannot be written is known before a trial is made.
set -u
. "${srcdir:-.}/tests/faults/script.sh"
only good
dense 2 net.json
sed '1s/"dense",/"other",/' net.json >other.json
tune() {
    network=$1 history=$2 output=$3
    shift 3
    "$anole" tune "$network" --trials 4 --history "$history" --output "$output" "$@"
}

# -- one file is not two, and a folder has to be there, before anything is tried --
expect 2 'found this one twice' tune net.json h h
check 'neither was made' '[ ! -e h ]'
expect 0 'wrote lock' tune net.json h lock
cp h kept.history
expect 2 'found this one twice' tune net.json h h
expect 2 'found this one twice' tune net.json h "$folder/./h"
ln -s h alias
expect 2 'found this one twice' tune net.json h alias
check 'the history is as it was' 'cmp -s h kept.history'
expect 1 'nowhere/lock: the file cannot be written' tune net.json h2 nowhere/lock
check 'no trial was made' '[ ! -e h2 ]'
if [ "$(id -u)" -ne 0 ]; then
    mkdir readonly
    chmod a-w readonly
    expect 1 'readonly/lock: the file cannot be written' tune net.json h2 readonly/lock
fi

# -- another network, another file --
cp lock kept
expect 2 'of the network "dense"; expected one of "other"' tune other.json h3 lock
check 'no trial was made for it' '[ ! -e h3 ]'
dense 3 same-name.json
expect 2 'of the same name, is something else' tune same-name.json h4 lock
check 'the lock file is as it was' 'cmp -s lock kept'
mkdir moved
mv net.json moved/
expect 0 'wrote lock' tune moved/net.json h lock
check 'a file that was moved is named where it is' 'grep -q "\"network_path\": \"moved/net.json\"" lock'
expect 0 'right' "$anole" verify lock --device good

# -- what is put in place during a run --
cat >slow.json <<'JSON'
{"name": "slow", "layers": [{"name": "in", "kind": "input", "shape": [1, 32, 32, 16]},
{"name": "a", "kind": "conv2d", "channels": 64, "kernel": 3}]}
JSON
# during COMMAND: tunes slow.json, and does that when the first trial is made.
during() {
    rm -f slow.history
    "$anole" tune slow.json --trials 6 --history slow.history --output slow.lock >out 2>err </dev/null &
    tuner=$!
    while [ ! -e slow.history ] || [ "$(trials slow.history)" -lt 1 ]; do
        kill -0 $tuner 2>/dev/null || break
    done
    eval "$1"
    wait $tuner
    found=$?
}
echo precious >precious
during 'rm -f slow.lock; ln -s precious slow.lock'
check 'a link that was put there: refused' '[ $found -eq 2 ] && [ "$(cat precious)" = precious ]'
rm -f slow.lock
during 'cp precious slow.lock'
check 'a file that was put there: refused' '[ $found -eq 2 ] && [ "$(cat slow.lock)" = precious ]'
rm -f slow.lock
expect 0 'wrote slow.lock' tune slow.json h5 slow.lock
sed 's/"threads": 0/"threads": 77/' slow.lock >another
rm -f slow.lock
during 'cp another slow.lock'
check 'what another run found meanwhile stays' \
    '[ $found -eq 0 ] && grep -q "\"threads\": 77" slow.lock && grep -q "\"threads\": 0" slow.lock'
chmod 600 slow.lock
expect 0 'wrote slow.lock' tune slow.json h5 slow.lock
check 'its mode stays' '[ "$(stat -c %a slow.lock)" = 600 ]'

# -- whose clock it was --
expect 0 "^timed by the host's clock$" "$anole" best slow.lock
expect 0 '"clock": "host"' "$anole" best slow.lock --json
sed 's/"clock": "host"/"clock": "own"/' slow.lock >own.lock
expect 0 "^timed by the device's own clock$" "$anole" best own.lock
sed '0,/"clock": "host"/s//"clock": "profiling"/' lock >mixed.lock
expect 0 "^timed by the host's clock (1 of 2 tasks), the device's events (1 of 2 tasks)$" "$anole" best mixed.lock
sed '/"clock": "host"/d' slow.lock >unsaid.lock
expect 0 'sum over layers' "$anole" best unsaid.lock
check 'nothing is said where nobody said' '! grep -q "timed by" out'

# -- whose baseline it is --
sed 's/"driver": "/&another /' slow.lock >baseline
expect 0 'against slow.lock' tune slow.json h5 o5 --baseline slow.lock --tolerance 1000
expect 2 'no task of this network on device' tune slow.json h5 o5 --baseline baseline

# -- numbers given twice, limits --
cat h slow.history >joined
expect 0 '2 trials of this history have the id 1.*--which 2' "$anole" replay-trial joined 1
expect 0 '^task   conv 3x3' "$anole" replay-trial joined 1 --which 2
check 'nothing is warned of what was chosen' '! grep -q "have the id" err'
expect 2 '2 trials have the id 1; expected --which 1 to 2' "$anole" replay-trial joined 1 --which 3
expect 2 'which' "$anole" replay-trial joined 1 --which 0
expect 2 '4096 threads: expected at most' "$anole" tune slow.json --device good --threads 4096 --trials 1
expect 1 'Too many open files' sh -c 'ulimit -n 8; exec "$@"' sh "$anole" tune slow.json --trials 1

# -- which device a lock file is of --
only good quick
dense 2 two.json
expect 0 'wrote two.lock' tune two.json h6 two.lock --device good
expect 0 'right' "$anole" verify two.lock
expect 0 'wrote 2 kernels' "$anole" best two.lock --kernels k1
expect 0 'wrote two.lock' tune two.json h6 two.lock --device quick
for verb in verify "best --kernels k2" "pack --output p"; do
    set -- $verb
    first=$1
    shift
    [ "$first" != pack ] || set -- 1 two.json "$@"
    expect 3 'holds results of 2 devices that are here: expected --device with one of ' \
        "$anole" "$first" two.lock "$@"
    check "$verb lists them" 'grep -q "good:0 (.*), quick:0 (.*)" err'
done
check 'no folder of kernels was made' '[ ! -e k2 ]'
expect 0 'right' "$anole" verify two.lock --device quick
sed 's/"device": "[^"]*"/"device": "gone"/' two.lock >gone.lock
expect 3 'holds nothing for a device that is here.*gone of backend good' "$anole" verify gone.lock

# -- and with how many threads --
expect 0 'wrote threads.lock' tune two.json h7 threads.lock --device good --threads 2
expect 0 'wrote threads.lock' tune two.json h7 threads.lock --device good --threads 1
expect 0 'right' "$anole" verify threads.lock
check 'the first, and how to get at the other' 'grep -q "with 1 threads: --threads 1" err'
expect 0 'right' "$anole" verify threads.lock --threads 1
check 'and the other' 'grep -q "with 2 threads: --threads 2" err'
expect 0 'wrote 2 kernels' "$anole" best threads.lock --kernels k3 --threads 1
expect 2 'nothing that was tuned with 3 threads; it holds: 2 threads, 1 thread' \
    "$anole" verify threads.lock --threads 3

# -- a library behind a backend: no source, no launches; values have names --
only library single
expect 0 'wrote library.lock' tune two.json h8 library.lock --device library --trials 8
check 'values are named in the file' 'grep -q "\"labels\": {\"slow\": \"\(hurried\|at ease\)" library.lock'
expect 0 'tile=[0-9]* slow=\(hurried\|at ease\)' "$anole" best library.lock
check 'and steer no terminal' '! grep -q "$(printf "\033")" out library.lock'
expect 0 'right' "$anole" verify library.lock
check 'it is the kernel that was tuned' '! grep -q "another kernel" out'
expect 2 'in a library behind it' "$anole" best library.lock --kernels k4
check 'each config is a kernel of its own' '[ "$(trials h8)" -ge 8 ] && ! grep -q "\"outcome\":\"wrong" h8'

# -- a space of one point --
expect 0 'wrote single.lock' tune two.json h9 single.lock --device single
check 'one trial a layer' '[ "$(trials h9)" -eq 2 ] && grep -q "\"knobs\": {}" single.lock'
expect 0 'right' "$anole" verify single.lock
for explorer in chameleon rl annealing genetic hillclimb random exhaustive; do
    rm -f h9
    expect 0 'wrote single.lock' tune two.json h9 single.lock --device single --explorer $explorer
done

# -- how long a build may take --
only slow_builds hang_build
expect '[1-9]' 'took longer than 1 s' tune two.json h10 built.lock --device slow_builds
expect '[1-9]' 'took longer than 2 s' tune two.json h11 built.lock --device slow_builds --build-limit 2s
expect '[1-9]' 'took longer than 1 s' tune two.json h12 built.lock --device hang_build --build-limit 1s
expect 3 'took longer than 1 s while building' "$anole" plugin check "$plugins/hang_build.so" --build-limit 1s \
    --clause builds-or-refuses
"$anole" plugin check "$plugins/slow_builds.so" --record-device described >out 2>err
check 'the description has it' 'grep -q "\"build_seconds\": 1,*$" described'
expect 2 'no duration' tune two.json h12 built.lock --build-limit soon
exit $failed
