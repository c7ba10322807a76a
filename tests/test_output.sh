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

# -- whose baseline it is --
sed 's/"driver": "/&another /' slow.lock >baseline
expect 0 'against slow.lock' tune slow.json h5 o5 --baseline slow.lock --tolerance 1000
expect 2 'no task of this network on device' tune slow.json h5 o5 --baseline baseline

# -- numbers given twice, limits --
cat h slow.history >joined
expect 0 '2 trials of this history have the id 1' "$anole" replay-trial joined 1
expect 2 '4096 threads: expected at most' "$anole" tune slow.json --device good --threads 4096 --trials 1
expect 1 'Too many open files' sh -c 'ulimit -n 8; exec "$@"' sh "$anole" tune slow.json --trials 1
exit $failed
