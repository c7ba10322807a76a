#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Every table and plot of bench/README.md about searching recorded design spaces.
#
# bench/search.sh FOLDER [REPEATS [OUT]]
#     FOLDER: recorded spaces (see anole-bench-search --help); REPEATS: 100; OUT: a
#     folder for tables (.txt), all figures (.json) and curves (.svg): search-figures
# PROGRAM: the program, if it is not bench/anole-bench-search
set -eu
program=${PROGRAM:-bench/anole-bench-search}
folder=$1 repeats=${2:-100} out=${3:-search-figures}
mkdir -p "$out"

# table NAME TITLE ARGUMENT...
table() {
    name=$1 title=$2
    shift 2
    began=$(date +%s)
    {
        echo "$title"
        echo "anole-bench-search FOLDER -r $repeats $*"
        echo
        "$program" "$folder" -q -r "$repeats" --svg "$out/$name.svg" --figures "$out/$name.json" "$@"
    } >"$out/$name.txt"
    echo "$name: $(($(date +%s) - began)) s" >&2
    cat "$out/$name.txt"
    echo
}

table ablation "The paper's ablation: annealing or RL, without and with adaptive sampling, as published" \
    -e autotvm,autotvm+chameleon,chameleon+greedy,chameleon --equal autotvm
table controls "What needs no model, or no learning" \
    -e autotvm,random,local,exhaustive,rl-untrained
table explorers "All explorers on the model, each with its own sampler and batch" \
    -e autotvm,rl,hillclimb,annealing,genetic,exhaustive
table samplers "The default explorer with each sampler, and with larger batches" \
    -e rl+adaptive,rl+top,rl+greedy,rl+chameleon,rl:16,rl:64 --equal rl+adaptive
table transfer "With logs of 400 trials in each of the other spaces" \
    -e autotvm,rl,rl+transfer,hillclimb+transfer,autotvm+transfer --transfer others
