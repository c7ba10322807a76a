#!/bin/sh
# SPDX-License-Identifier: MIT
#
# bash and zsh complete every verb, option and kind of value that the helps list: one that is added
# and not completed fails here.
set -u
. "${srcdir:-.}/tests/faults/script.sh"
only own_clock
case ${srcdir:-.} in /*) source=$srcdir ;; *) source=$OLDPWD/${srcdir:-.} ;; esac
mkdir bin some-folder
printf '#!/bin/sh\nexec "%s" "$@"\n' "$anole" >bin/anole
chmod +x bin/anole
PATH=$PWD/bin:$PATH
touch net.json net.onnx tuned.lock.json other.txt 'a file.json' backend.so

# What there is, read here in another way than the completions do.
verbs=$(anole --help | awk '/^$/ { on = 0 } on { print $1 } /^Verbs:/ { on = 1 }')
outer=
for verb in $verbs; do
    anole $verb --help | head -n 1 | grep -q ' VERB ' && outer="$outer $verb"
done
inner() { anole "$1" --help | awk '/^  [a-z]/ { print $1 }'; }
check 'there are verbs' '[ "$(echo "$verbs" | wc -l)" -ge 13 ] && [ "$(inner plugin | wc -l)" -eq 3 ]'
commands() {
    for verb in $verbs; do case " $outer " in *" $verb "*) ;; *) echo $verb ;; esac; done
    for verb in $outer; do inner $verb | sed "s/^/$verb /"; done
}
# "--name ARGUMENT" of each option; no argument is "-".
options() {
    # shellcheck disable=SC2086 # a verb of two words
    anole $1 --help | awk '/^  --/ { rest = substr($0, length($1) + 4); print $1, rest ~ /^[^ ]/ ? $2 : "-" }'
}
# What values an argument of this option has: files, folders, some words, or "none".
kind_of() {
    case "$1 $2" in
    "--device D") echo "own_clock:0" ;;
    "--precision P") echo "fp16" ;;
    "--outcome NAME") echo "wrong-answer" ;;
    "--timing HOW") echo "cold" ;;
    "--explorer NAME") echo "annealing" ;;
    "--sampler NAME") echo "greedy" ;;
    "--format F") case $3 in report) echo markdown ;; *) echo t4 ;; esac ;;
    *" FILE" | *" RUN.json" | *" LOCK" | *" T1" | *" PATH" | *" WORD" | *" HISTORY") echo "other.txt" ;;
    *" DIR") echo "some-folder" ;;
    --clause\ NAME | --device\ NAME | --backend\ NAME | *" TEXT" | *" DATE" | *" N" | *" P" | *" S" | *" T" | *" NAME=SIZES" | *" N,..." | *" K" | *" GFLOPS" | *" GBPS") echo none ;;
    *) echo "unknown" ;;
    esac
}

# -- bash --
# complete LINE: what bash would offer at its end, in out.
cat >complete.bash <<'END'
source "$1"
COMP_WORDBREAKS=$' \t\n"\'><=;|&(:'
while IFS= read -r COMP_LINE; do
    COMP_POINT=${#COMP_LINE}
    COMPREPLY=()
    _anole anole 2>&1
    printf '%s\t' "$COMP_LINE" "${COMPREPLY[@]}"
    echo
done
END
completed() { printf '%s\n' "$1" | bash complete.bash "$source/completions/bash/anole" >out 2>err; }
# offers LINE WORD: among what is offered is the word.
offers() {
    completed "$1"
    cut -f 2- out | tr '\t' '\n' | grep -qxF -e "$2"
}
if command -v bash >/dev/null; then
    check 'bash: it parses' 'bash -n "$source/completions/bash/anole"'
    completed 'anole '
    for verb in $verbs; do
        check "bash: $verb" "cut -f 2- out | tr '\t' '\n' | grep -qx $verb"
    done
    for verb in $outer; do
        completed "anole $verb "
        for one in $(inner $verb); do
            check "bash: $verb $one" "cut -f 2- out | tr '\t' '\n' | grep -qx $one"
        done
    done
    commands >list
    while IFS= read -r verb <&3; do
        options "$verb" >wanted
        completed "anole $verb --"
        cut -f 2- out | tr '\t' '\n' | sort | grep . >found
        check "bash: $verb: its options" 'cut -d " " -f 1 wanted | sort | diff - found >err'
        while read -r option argument <&4; do
            [ "$argument" != - ] || continue
            kind=$(kind_of "$option" "$argument" "$verb")
            case $kind in
            unknown) fail "$verb: $option $argument: say what its values are, here and in completions/" ;;
            none) check "bash: $verb $option: no values" 'completed "anole $verb $option " && [ "$(cut -f 2- out)" = "" ]' ;;
            *:*) # "own_clock" and ":" are words of their own to bash once they are there
                check "bash: $verb $option $kind" 'offers "anole $verb $option " "$kind" && offers "anole $verb $option own_clock:" 0'
                check "bash: $verb $option=" 'offers "anole $verb $option=own" "$kind"' ;;
            *) check "bash: $verb $option $kind" 'offers "anole $verb $option " "$kind" && offers "anole $verb --json $option=" "$kind"' ;;
            esac
        done 4<wanted
    done 3<list
    for word in net.json net.onnx some-folder 'a file.json'; do
        check "bash: tune $word" 'offers "anole tune " "$word"'
    done
    check 'bash: tune: no other file' '! offers "anole tune --json " other.txt'
    check 'bash: verify tuned.lock.json' 'offers "anole verify --json tun" tuned.lock.json && ! offers "anole verify " backend.so'
    check 'bash: plugin check backend.so' 'offers "anole plugin check " backend.so && ! offers "anole plugin check " net.json'
    # What a user types is completed, and not run.
    for line in 'anole $(touch ran) ' 'anole `touch ran` --' 'anole tune $(touch ran)' 'anole tune --device $(touch ran)' 'none tune --' 'anole nothing --' 'anole -' 'anole tune --nothing='; do
        check "bash: $line" 'completed "$line" && [ ! -s err ] && [ ! -e ran ]'
    done
fi

# -- zsh: what _arguments and others are handed --
cat >complete.zsh <<'END'
_arguments() { print -rl -- "$@" }
_describe() { print -rl -- ${(P)4} }
_files() { : }
compadd() { [[ $1 == -a ]] && print -rl -- ${(P)2} || print -rl -- "$@" }
_anole_file=$1
shift
words=("$@") CURRENT=$#
source $_anole_file
END
zsh_offers() { zsh -f complete.zsh "$source/completions/zsh/_anole" "$@" '' >out 2>err; }
if command -v zsh >/dev/null; then
    check 'zsh: it parses' 'zsh -n "$source/completions/zsh/_anole" && head -n 1 "$source/completions/zsh/_anole" | grep -qx "#compdef anole"'
    zsh_offers anole
    for verb in $verbs; do
        check "zsh: $verb" 'grep -q "^$verb:" out && [ ! -s err ]'
    done
    for verb in $outer; do
        zsh_offers anole $verb
        for one in $(inner $verb); do
            check "zsh: $verb $one" 'grep -q "^$one:" out && [ ! -s err ]'
        done
    done
    while IFS= read -r verb <&3; do
        options "$verb" >wanted
        # shellcheck disable=SC2086 # a verb of two words
        zsh_offers anole $verb
        check "zsh: $verb: no complaint" '[ ! -s err ]'
        sed -n 's/^\*\(--[a-z0-9-]*\)=\{0,1\}\[.*/\1/p' out | sort >found
        check "zsh: $verb: its options" 'cut -d " " -f 1 wanted | sort | diff - found >err'
        while read -r option argument <&4; do
            kind=$(kind_of "$option" "$argument" "$verb")
            case "$argument $kind" in
            "- "*) pattern="^\\*$option\\[.*\\]\$" ;;
            *" other.txt") pattern="^\\*$option=\\[.*\\]:[^:]*:_files\$" ;;
            *" some-folder") pattern="^\\*$option=\\[.*\\]:[^:]*:_files -/\$" ;;
            *" none") pattern="^\\*$option=\\[.*\\]:[^:]*: \$" ;;
            *:*) pattern="^\\*$option=\\[.*\\]:[^:]*:_anole_devices\$" ;;
            *) pattern="^\\*$option=\\[.*\\]:[^:]*:(.*$kind.*)\$" ;;
            esac
            check "zsh: $verb $option $argument" 'grep -q -e "$pattern" out'
        done 4<wanted
    done 3<list
    zsh_offers anole tune
    check 'zsh: networks' 'grep -q "^\*:network:_files -g \"\*.(json|onnx)\"$" out'
    printf '_anole_program=anole\n_anole_devices\n' >>complete.zsh
    zsh_offers anole tune
    check 'zsh: devices' 'grep -qx "own_clock:0" out'
fi
exit $failed
