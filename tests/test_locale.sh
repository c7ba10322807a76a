#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Locales and terminals: what we say ourselves is ASCII; names from files are shown as they are
# where the terminal is UTF-8, and escaped where it is not; nothing depends on colour, and a dumb
# terminal gets no sequences.  Over all verbs.
set -u
. "${srcdir:-.}/tests/faults/script.sh"
only own_clock
command -v script >/dev/null || {
    echo "skipped: script is not installed; on Debian and Ubuntu: apt-get install bsdutils"
    exit 77
}

name=$(printf 'r\303\251seau-\302\265\303\227\303\233') # its last byte is the C1 control CSI in Latin-1
layer=$(printf '\321\201\320\273\320\276\320\271')
lock=$name.lock
dense 1 net.json
sed "s/\"name\": \"dense\"/\"name\": \"$name\"/; s/\"d1\"/\"$layer\"/" net.json >"$name.json"
head -c 48 /dev/zero >weights
"$anole" tune "$name.json" --trials 12 --history h --output "$lock" --no-in-place >out 2>err
check 'it was tuned' '[ -s "$lock" ]'
id=$("$anole" best --failures h 2>/dev/null | sed -n 's/.*replay-trial .* \([0-9]*\)$/\1/p' | head -n 1)

# What to run of a verb: a line a command.
words_of() {
    case $1 in
    devices) echo "devices" ;;
    tasks) echo "tasks '$name.json'" ;;
    tune) echo "tune '$name.json' --trials 12 --history h --output '$lock' --no-in-place" ;;
    best) echo "best '$lock'"; echo "best --failures h" ;;
    pack) echo "pack '$lock' '$layer' weights --output '$name.packed'" ;;
    verify) echo "verify '$lock' --no-in-place" ;;
    check) echo "check '$name.json' --baseline '$lock' --no-in-place --time 20ms" ;;
    doctor) echo "doctor --history '$name/x'" ;;
    replay-trial) echo "replay-trial h ${id:-1}" ;;
    plugin) echo "plugin list"; echo "plugin new '$name'"; echo "plugin check '$name.so'" ;;
    compare) echo "compare '$lock'" ;;
    export) echo "export '$name.json' --device own_clock --output '$name.out'" ;;
    run) echo "run '$name.json' --device own_clock" ;;
    *) echo "$1 '$name'" ;; # one that is new: at least its complaint
    esac
}

# on_terminal WORDS [NAME=VALUE...]: what a terminal gets, in out.
on_terminal() {
    words=$1
    shift
    printf '#!/bin/sh\nunset LC_ALL LC_CTYPE LANG LANGUAGE NO_COLOR\n' >command.sh
    [ $# -eq 0 ] || echo "export $*" >>command.sh
    echo "exec '$anole' $words" >>command.sh
    script -qec "sh ./command.sh" /dev/null </dev/null >out 2>err
    rm -rf "$name.out"
}
ascii() { ! LC_ALL=C grep -q "$(printf '[\200-\377]')" "$@"; }
escape=$(printf '\033')
verbs=$("$anole" --help | sed -n '/^Verbs:/,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p')
check 'there are verbs' '[ "$(echo "$verbs" | wc -l)" -ge 13 ]'
check 'the help is ASCII' '"$anole" --help >out 2>err && ascii out err'
for verb in $verbs; do
    "$anole" "$verb" --help >out 2>err
    check "$verb: its help is ASCII" 'ascii out err && [ -s out ]'
    words_of "$verb" >list
    while IFS= read -r words <&3; do
        # A pipe gets the same in any locale; with a name that is UTF-8, so is that.
        eval "LC_ALL=C '$anole' $words" >out 2>err </dev/null
        found=$?
        cat out err >plain
        check "$words: a pipe gets what is there" 'python3 -c "open(\"plain\", encoding=\"utf-8\").read()" 2>/dev/null || ! command -v python3 >/dev/null'
        rm -rf "$name.out" "$name"
        eval "LC_ALL=C.UTF-8 NO_COLOR=1 TERM=dumb '$anole' $words" >out 2>err </dev/null
        check "$words: the exit code is the same: $found" "[ $? -eq $found ]"
        rm -rf "$name.out" "$name"
        for locale in LC_ALL=C LANG=C LC_ALL=de_DE.ISO-8859-1 LC_CTYPE=POSIX; do
            on_terminal "$words" $locale TERM=xterm
            check "$words: $locale: ASCII" 'ascii out'
            rm -rf "$name"
            [ $locale = LC_ALL=C ] && grep -q "[^ -~]" plain || break # once is enough where nothing is not
        done
        on_terminal "$words" LC_ALL=C.UTF-8 TERM=xterm
        check "$words: no colour" '! grep -q "$escape\[[0-9;]*m" out'
        if grep -q "$name" plain; then
            check "$words: the name as it is" 'grep -q "$name" out'
        fi
        rm -rf "$name"
        on_terminal "$words" LC_ALL=C.UTF-8 TERM=dumb NO_COLOR=1
        check "$words: no sequences on a dumb terminal" '! grep -q "$escape" out'
        rm -rf "$name"
    done 3<list
done

# What is escaped is so as elsewhere; columns stand below each other where it is not.
on_terminal "tasks '$name.json'" LC_ALL=C
check 'escaped' 'grep -q "\\\\xd1\\\\x81\\\\xd0" out'
"$anole" check "$name.json" --baseline "$lock" --no-in-place --time 20ms >out 2>err
check 'a table counts characters' 'grep -q "^layer  task" out && grep -q "^$layer   dense" out'
exit $failed
