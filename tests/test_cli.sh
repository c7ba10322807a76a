#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The program from outside: verbs, messages, exit codes, resuming.  One line a
# case; exits 1 if one failed.
set -u
. "${srcdir:-.}/tests/script.sh"
program=$anole

# -- words --
expect 0 'Exit codes' --help
expect 0 'anole [0-9]' --version
expect 2 'did you mean .tune' tuna
expect 2 'did you mean --trials' tune x.json --trails 3
for verb in devices tasks tune best pack verify export; do
    expect 0 "Usage: anole $verb" $verb --help
done
expect 0 'random' tune --help

# -- bad input --
expect 2 'no-such.json' tune no-such.json --device cpu
expect 2 'expected' tune "$networks/tiny.json" --device cpu --time 0
expect 2 'no duration' tune "$networks/tiny.json" --device cpu --time nan
expect 2 'expected' tune "$networks/tiny.json" --device cpu --trials 0
expect 2 'expected' tune "$networks/tiny.json" --device cpu --trials -3
expect 2 'random' tune "$networks/tiny.json" --device cpu --explorer randon
expect 2 'adaptive' tune "$networks/tiny.json" --device cpu --sampler adaptiv
expect 2 'expected hot or cold' tune "$networks/tiny.json" --device cpu --timing warm --trials 1
expect 3 'cpu:0' tune "$networks/tiny.json" --device quantum --trials 1
expect 3 'cpu:7' tune "$networks/tiny.json" --device cpu:7 --trials 1
echo '{"name": "x", ' >cut.json
expect 2 'cut.json' tasks cut.json
expect 2 'cut.json' best cut.json
expect 2 'tiny.json' best "$networks/tiny.json"
mkdir a-folder
expect 2 'a-folder' tasks a-folder
expect 2 'a-folder' tune "$networks/tiny.json" --device cpu --history a-folder --trials 1
cp "$networks/tiny.json" given.json
expect 2 'given.json' tune "$networks/tiny.json" --device cpu --history given.json --trials 1
check 'what was no history is as it was' 'cmp -s "$networks/tiny.json" given.json'

# -- devices and tasks --
expect 0 'cpu:0' devices
expect 0 '"simd_width"' devices --json
if taskset -c 0 true 2>/dev/null; then
    taskset -c 0 "$anole" devices --json >one-core.json 2>/dev/null
    check 'a process that is bound to a core has one' 'grep -q "\"cores\": 1," one-core.json'
fi
expect 0 'tasks in' tasks "$networks/resnet18.json"
expect 0 'valid' tasks "$networks/tiny.json" --device cpu
expect 0 '"valid_exact"' tasks "$networks/tiny.json" --device cpu --json

# -- tuning, and going on --
expect 0 'wrote out.lock.json' tune "$networks/tiny.json" --device cpu --trials 16 \
    --history h --output out.lock.json --seed 7
check 'the network was run as a whole' 'grep -q "^in place: [0-9].*6 of 8 steps are tuned" out'
check 'and the lock file has it' 'grep -q "\"in_place\": {\"seconds\": [0-9]" out.lock.json'
trials() { grep -c '"outcome"' h; }
check 'sixteen trials are in the history' '[ "$(trials)" -eq 16 ]'
expect 0 '0 trials in' tune "$networks/tiny.json" --device cpu --trials 16 --history h \
    --output out.lock.json --seed 7
check 'nothing was tried again' '[ "$(trials)" -eq 16 ]'
expect 0 '"speedup"' tune "$networks/tiny.json" --device cpu --trials 20 --history h \
    --output out.lock.json --seed 7 --json
check 'what the whole takes is there, too' 'grep -q "\"steps_tuned\": 6" out'
check 'four more were tried' '[ "$(trials)" -eq 20 ]'
tried() { sed -n 's/.*\("task":"[^"]*"\).*\("knobs":{[^}]*}\).*/\1 \2/p' h; }
check 'each trial names its task and config' '[ "$(tried | wc -l)" -eq 20 ]'
check 'no config was tried twice' '[ -z "$(tried | sort | uniq -d)" ]'
expect 0 'sum over layers' best out.lock.json
check 'best shows the whole' 'grep -q "^in place: [0-9]" out'
expect 0 '^in place  *1 ' compare out.lock.json
# What was best alone and lost in the network is shown with both, and so is what was disturbed there.
value='[a-z0-9.-][a-z0-9.-]*'
for name in in_place alone_seconds alone_in_place in_place_disturbed; do echo "s/, \"$name\": $value//g"; done >strip.sed
sed -f strip.sed out.lock.json |
    sed 's/"trials": [0-9][0-9]*/&, "in_place": 4e-3, "alone_seconds": 3e-3, "alone_in_place": 5e-3/' >lost.lock.json
expect 0 'in place 4.* ms, where what is best alone (3.* ms, and this .*) takes 5.* ms' best lost.lock.json
sed -f strip.sed out.lock.json |
    sed 's/"trials": [0-9][0-9]*/&, "in_place_disturbed": true/' >busy.lock.json
expect 0 'in place it was disturbed by other work: what is best alone stays' best busy.lock.json
expect 0 'was not run as a whole: it was not wanted' tune "$networks/tiny.json" --device cpu \
    --trials 16 --history h --output apart.lock.json --no-in-place
check 'and the lock file does not have it' '! grep -q in_place apart.lock.json'
expect 0 'tasks' best out.lock.json --json
expect 0 'kernels.json' best out.lock.json --kernels k --device cpu
check 'kernels were written' 'ls k/01_*.cl >/dev/null && [ -s k/kernels.json ]'
expect 1 'must not exist' best out.lock.json --kernels k --device cpu
# The last task's config is none of the space: no half of the kernels is left.
tac out.lock.json | sed '0,/"knobs": {"\([a-z_0-9]*\)": [0-9]*/s//"knobs": {"\1": 987654/' | tac >bad.lock.json
expect 2 '' best bad.lock.json --kernels half --device cpu
check 'no folder of half of the kernels is left' '[ ! -e half ]'
# What is timed cold is tried anew, and kept apart; tiny's weights always stay in the caches.
check 'hot by itself' '! grep -q "\"timing\"" h && ! grep -q "\"timing\"" out.lock.json'
cp h cold && before=$(wc -l <cold)
expect 0 'wrote cold.lock.json' tune "$networks/tiny.json" --device cpu --trials 6 --history cold \
    --timing cold --output cold.lock.json
check 'cold lines' 'tail -n +$((before + 1)) cold | grep -c "\"v\":3.*\"timing\":\"cold\"" | grep -qx 6'
check 'a cold lock file' 'test "$(grep -c "\"timing\": \"cold\"" cold.lock.json)" -eq 6'
expect 2 'other caches' tune "$networks/tiny.json" --device cpu --trials 6 --history cold \
    --timing cold --output cold.lock.json --baseline out.lock.json
expect 0 'right' verify cold.lock.json --device cpu

# -- packing weights (tests/test_launch.sh runs kernels on what is packed) --
bytes=$(sed -n '0,/"weights_bytes"/s/.*"weights_bytes": \([0-9]*\).*/\1/p' k/kernels.json)
packed=$(sed -n '0,/"packed_weights_bytes"/s/.*"packed_weights_bytes": \([0-9]*\).*/\1/p' k/kernels.json)
head -c "$bytes" /dev/zero >raw
expect 0 'wrote packed' pack out.lock.json 1 raw --output packed --device cpu
check 'as much was packed as kernels.json says' '[ "$(wc -c <packed)" -eq "$packed" ]'
# A transform may make -0 of 0.
check 'weights of nothing but 0 stay so' '! od -An -v -tx4 packed | grep -q "[1-79a-f]\|[^ ]8\|8[^0]"'
"$anole" pack out.lock.json 1 raw --device cpu >piped 2>err
check 'the same goes to stdout' 'cmp -s packed piped'
key=$(sed -n '0,/"task"/s/.*"task": "\([^"]*\)".*/\1/p' k/kernels.json)
expect 0 'wrote packed' pack out.lock.json "$key" raw --output packed --device cpu
expect 0 'wrote by-name' pack out.lock.json conv1 raw --output by-name --device cpu
check 'the first task is the first layer' 'cmp -s packed by-name'
expect 2 'conv1: the network.s file has no weights' pack out.lock.json conv1 --output none --device cpu
expect 2 "'pool' is no tuned layer" pack out.lock.json pool raw --output none --device cpu
sed 's/"network_path": "[^"]*"/"network_path": "gone.json"/' out.lock.json >gone.lock.json
expect 0 'wrote alone' pack gone.lock.json 1 raw --output alone --device cpu
check 'without the network it is the same' 'cmp -s packed alone'
expect 2 'gone.json' pack gone.lock.json conv1 raw --output none --device cpu
expect 2 'expected a task' pack out.lock.json 99 raw --output none --device cpu
expect 2 'no-such' pack out.lock.json 1 no-such --output none --device cpu
printf x >>raw
expect 2 "of fp32, $bytes bytes, found $((bytes + 1))" pack out.lock.json 1 raw --output none \
    --device cpu
check 'nothing was written for bad input' '[ ! -e none ]'
"$anole" verify out.lock.json --device cpu >out 2>err
code=$?
check 'verify finds all right (a slow minute of the machine may say 6)' \
    '[ $code -eq 0 ] || [ $code -eq 6 ]'
check 'verify finds no wrong answer' '! grep -q wrong-answer out'
check 'nor of the whole' 'grep -q "its outputs are right: off by" out'
check 'and says how fast it was' 'grep -q "^when it was tuned: [0-9]" out'
verify() {
    "$anole" verify "$@" --device cpu >out 2>err
    code=$?
    [ $code -eq 0 ] || [ $code -eq 6 ]
}
check 'verify runs tasks where the network is gone' \
    'verify gone.lock.json && grep -q "not run as a whole: its file is no longer there" out'
sed 's/"channels": 32/"channels": 48/' "$networks/tiny.json" >changed.json
sed 's/"network_path": "[^"]*"/"network_path": "changed.json"/' out.lock.json >changed.lock.json
check 'or has changed' 'verify changed.lock.json && grep -q "changed.json is not as it was tuned" out'
check 'or if nobody wants more' \
    'verify out.lock.json --no-in-place && grep -q "it was not wanted" out'

# What was tuned with a thread is driven in another way than with all: no change of the driver.
export ANOLE_CPU_QUEUES=own
expect 0 'wrote one.lock.json' tune "$networks/tiny.json" --device cpu --threads 1 --trials 6 --history one \
    --output one.lock.json
check 'it is right' 'verify one.lock.json'
unset ANOLE_CPU_QUEUES
check 'nor is a change warned of' '! grep -qi "driver version\|another way" err'

# -- results for other tools --
expect 2 'choose with --task' export h
expect 2 'expected t4' export h --format t3
expect 2 'no-such' export no-such --task 1
expect 0 '"invalidity":"correct"' export h --task 1
expect 0 'wrote x.T4.json' export h --task 1 --output x.T4.json
check 'each trial of the first task was written' \
    '[ "$(grep -c "\"configuration\"" x.T4.json)" -eq "$(tried | grep -cF "$(tried | sed -n "1s/ .knobs.*//p")")" ]'

# -- a lock file of something else --
sed 's/"device": *"[^"]*"/"device": "Abacus"/' out.lock.json >other.lock.json
expect 3 'tune it first' verify other.lock.json --device cpu

# Waits until a history has a trial, or a minute has passed.
wait_for_trial() {
    for i in $(seq 600); do
        ! grep -q '"outcome":"ok"' "$1" 2>/dev/null || return 0
        sleep 0.1
    done
}

# -- Ctrl-C --
"$anole" tune "$networks/tiny.json" --device cpu --time 5m --history i --output i.lock.json \
    >out 2>err &
pid=$!
wait_for_trial i
kill -INT $pid
wait $pid
code=$?
check 'an interrupted run ends with 130' '[ $code -eq 130 ]'
check 'and tells how to go on' 'grep -q "anole tune .*--history i" err'
check 'and leaves no lock file' '[ ! -e i.lock.json ]'

# -- killed, and resumed --
"$anole" tune "$networks/tiny.json" --device cpu --trials 400 --history j --output j.lock.json \
    >out 2>err &
pid=$!
wait_for_trial j
kill -KILL $pid
wait $pid 2>/dev/null
before=$(grep -c '"outcome"' j)
check 'a killed run left finished trials' '[ "$before" -gt 0 ]'
# More than the defaults of its six tasks, which are tried whatever is left of a budget.
expect 0 'wrote j.lock.json' tune "$networks/tiny.json" --device cpu --trials $((before + 8)) \
    --history j --output j.lock.json
after=$(grep -c '"outcome"' j)
check 'none was lost or repeated' '[ "$after" -eq $((before + 8)) ]'

exit $failed
