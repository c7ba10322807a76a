# SPDX-License-Identifier: MIT
#
# What the scripts on faults share beyond tests/script.sh: sourced, not run.

. "${srcdir:-.}/tests/script.sh"

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

# Lines of a history that are trials; and those that stand there more than once.
trials() {
    grep -v '"outcome":"begun"\|"outcome":"withdrawn"' "$1" | grep -c '"outcome"' || true
}
repeated() {
    grep -v '"outcome":"begun"\|"outcome":"withdrawn"' "$1" | sed -n 's/.*\("task":"[^"]*"\).*\("knobs":{[^}]*}\).*/\1 \2/p' |
        sort | uniq -d
}
