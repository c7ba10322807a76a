#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Text from outside is shown, and not acted upon by a terminal: each text of a lock file, a network
# and a file's name, in whatever a verb prints; and no text makes a line of its own.
set -u
. "${srcdir:-.}/tests/faults/script.sh"
only quick
escape=$(printf '\033')
control=$(printf '\303\205\302\233') # C1, in UTF-8
# clean COMMAND...: no control character in what it prints but newlines; no line that was forged.
clean() {
    "$@" >out 2>err </dev/null
    found=$?
    if cat out err | tr -d '\n' | LC_ALL=C grep -q "[[:cntrl:]]\|$(printf '\302')[$(printf '\200')-$(printf '\237')]"; then
        fail "$*: a control character in:"
        cat out err | grep -a '[[:cntrl:]]' | cat -v | head -n 3
    elif grep -q '^forged' out err; then
        fail "$*: a line was forged"
    else
        echo "ok: $*" | cat -v | cut -c 1-150
    fi
}

# -- names of files --
dense 1 net.json
name="h${escape}[31m
forged"
clean "$anole" tune net.json --trials 20 --explorer random --seed 5 --history "$name" --output "$name.lock"
check 'it was tuned' '[ $found -eq 0 ]'
clean "$anole" best --failures "$name"
check 'the command that is shown names the file' 'grep -q "replay-trial \\$.h.x1b\[31m.x0aforged. [0-9]" out'
id=$(sed -n 's/.*replay-trial .* \([0-9]*\)$/\1/p' out | head -n 1)
clean "$anole" replay-trial "$name" "$id" --source "$name.cl"
check 'it was made again' 'grep -q "^then " out'
clean "$anole" best "$name.lock"
clean "$anole" compare "$name.lock"
clean "$anole" report "$name.lock" "$name"
clean "$anole" verify "$name.lock" --device quick
clean "$anole" verify "$name" --device quick
clean "$anole" best "missing$name"
clean "$anole" tune "missing$name"
clean "$anole" tasks "missing$name"
clean "$anole" export "$name" --output "$name.t4"
clean "$anole" best "$name.lock" --kernels "$name.d" --device quick
clean "$anole" doctor --history "$name/x"
for verb in tune best compare report verify run export tasks pack doctor devices replay-trial "plugin check" "plugin list" "$name"; do
    # shellcheck disable=SC2086
    clean "$anole" $verb "--device=$name" "$name"
done

# -- the texts of a lock file --
cp "$name.lock" good.lock
bad='\\u001b[31m\\u009b\\u007f\\nforged\\r'
for field in network network_path id backend backend_version device driver driver_version task precision metric; do
    sed "0,/\"$field\": \"/s//&$bad/" good.lock >bad.lock
    check "$field is in the file" '! cmp -s good.lock bad.lock || [ $field = precision ]'
    for verb in "best bad.lock" "best bad.lock --json" "compare bad.lock good.lock" "compare bad.lock" \
        "compare bad.lock --json" "report bad.lock" "report bad.lock --format json" "verify bad.lock --device quick" "verify bad.lock --device quick --json" \
        "best bad.lock --kernels bad.d --device quick" "pack bad.lock 1 net.json --output p --device quick" \
        "tune net.json --history h --output bad.lock --trials 2" "tune net.json --trials 2 --history h --output o --baseline bad.lock"; do
        # shellcheck disable=SC2086
        clean "$anole" $verb
        rm -rf bad.d
    done
done

# -- the texts of a network --
for field in name kind; do
    sed "s/\"$field\": \"/&$bad/g" net.json >bad.json
    for verb in tasks "tune --trials 2 --history h6 --output o6" run "export --output d6"; do
        # shellcheck disable=SC2086
        clean "$anole" $verb bad.json
    done
done
exit $failed
