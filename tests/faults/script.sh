# SPDX-License-Identifier: MIT
#
# What the scripts on faults share: sourced, not run.  Leaves them in a folder of
# their own, which goes when they end; $failed says whether a check has failed.

anole=${ANOLE:-./anole}
plugins=${ANOLE_TEST_PLUGINS:-tests/plugins/built}
networks=${ANOLE_NETWORKS:-networks}
case $anole in /*) ;; *) anole=$PWD/$anole ;; esac
case $plugins in /*) ;; *) plugins=$PWD/$plugins ;; esac
case $networks in /*) ;; *) networks=$PWD/$networks ;; esac
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
failed=0

# The backends NAME... of tests/plugins, and no other.
only() {
    rm -rf backends
    mkdir backends
    for name; do
        ln -s "$plugins/$name.so" "backends/$name.so"
    done
    ANOLE_PLUGIN_PATH=$folder/backends
    ANOLE_PLUGIN_DIR=
    export ANOLE_PLUGIN_PATH ANOLE_PLUGIN_DIR
}

# dense COUNT FILE: a network of so many layers, each of another shape.
dense() {
    {
        printf '{"name": "dense", "layers": [{"name": "in", "kind": "input", "shape": [1, 1, 1, 3]}'
        i=0
        while [ $i -lt "$1" ]; do
            i=$((i + 1))
            printf ',\n{"name": "d%d", "kind": "dense", "channels": %d}' $i $((i + 3))
        done
        printf ']}\n'
    } >"$2"
}

fail() {
    echo "FAIL: $1"
    failed=1
}

# expect CODE PATTERN COMMAND...: its exit code, and what it said on either stream.
expect() {
    code=$1 pattern=$2
    shift 2
    "$@" >out 2>err </dev/null
    found=$?
    if [ "$found" -ne "$code" ]; then
        fail "$*: expected exit code $code, found $found"
        cat out err | cut -c 1-300 | sed 's/^/    /' | tail -n 5
    elif ! cat out err | grep -q -e "$pattern"; then
        fail "$*: expected '$pattern' in:"
        cat out err | cut -c 1-300 | sed 's/^/    /' | tail -n 8
    else
        echo "ok: $*" | cut -c 1-150
    fi
}

check() {
    if eval "$2"; then
        echo "ok: $1"
    else
        fail "$1"
    fi
}

# Lines of a history that are trials; and those that stand there more than once.
trials() {
    grep -v '"outcome":"begun"\|"outcome":"withdrawn"' "$1" | grep -c '"outcome"' || true
}
repeated() {
    grep -v '"outcome":"begun"\|"outcome":"withdrawn"' "$1" | sed -n 's/.*\("task":"[^"]*"\).*\("knobs":{[^}]*}\).*/\1 \2/p' |
        sort | uniq -d
}
