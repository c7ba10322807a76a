#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The library from outside: what it exports, shared and static; and its example, which runs.
# In the build folder, after make.
set -eu
: "${NM:=nm}"
srcdir=${srcdir:-$(dirname "$0")/..}
folder=$(mktemp -d "${TMPDIR:-/tmp}/anole-test-XXXXXX")
trap 'rm -rf "$folder"' EXIT
failed=0

check() {
    if eval "$2"; then
        echo "ok: $1"
    else
        echo "FAIL: $1"
        tail -n 20 "$folder/out" "$folder/err" 2>/dev/null || true
        failed=1
    fi
}

# Of other compilers' run-time parts, as sanitizers bring them, nothing is asked.
names() {
    awk 'NF > 1 && $2 ~ /^[A-TV-Z]$/ { print $1 }' | grep -v '^__\(odr_\)\{0,1\}[at]san\|^_init$\|^_fini$' | LC_ALL=C sort -u
}
awk -f "$srcdir/build-aux/symbols.awk" "$srcdir/include/anole/anole.h" \
    "$srcdir/include/anole/status.h" | LC_ALL=C sort -u >"$folder/declared"
check 'the header declares something' '[ "$(wc -l <"$folder/declared")" -gt 30 ]'
$NM -D --defined-only -P .libs/libanole.so | names >"$folder/shared"
check 'the shared library exports what the header declares, and nothing else' \
    'diff "$folder/declared" "$folder/shared" >"$folder/out"'
if [ -e libanole.a ]; then
    $NM -g --defined-only -P libanole.a | names >"$folder/static"
    check 'so does the static one' 'diff "$folder/declared" "$folder/static" >"$folder/out"'
fi
check 'its soname is that of its version' \
    'readelf -d .libs/libanole.so | grep -q "SONAME.*\[libanole\.so\.[0-9]*\]"'

# The header alone, in C11, C++ and without extensions.
printf '#include <anole/anole.h>\nint main(void) { return anole_version_number() == 0; }\n' \
    >"$folder/header.c"
check 'the header compiles alone, as C' '${CC:-cc} -std=c11 -pedantic -Wall -Wextra -Werror \
    -I"$srcdir/include" -fsyntax-only "$folder/header.c" >"$folder/out" 2>&1'
if command -v c++ >/dev/null 2>&1; then
    check 'and as C++' 'c++ -x c++ -std=c++17 -Wpedantic -Wall -Wextra -Werror -I"$srcdir/include" -fsyntax-only \
        "$folder/header.c" >"$folder/out" 2>&1'
fi

mkdir "$folder/plugins"
ln -s "${ANOLE_TEST_PLUGINS:-$PWD/tests/plugins/built}/simulated.so" "$folder/plugins/"
example=$PWD/examples/tune/tune
networks=${ANOLE_NETWORKS:-$srcdir/networks}
case $networks in /*) ;; *) networks=$PWD/$networks ;; esac
check 'the example tunes' '(cd "$folder" && ANOLE_PLUGIN_DIR= ANOLE_PLUGIN_PATH="$folder/plugins" \
    "$example" "$networks/tiny.json" simulated >out 2>err)'
check 'it shows progress' 'grep -q "^searching: " "$folder/err"'
check 'and a line a task' 'grep -q "ms, .* times the default" "$folder/out"'
check 'and writes a lock file' '"${ANOLE:-./anole}" best "$folder/tuned.lock.json" >"$folder/out" 2>&1'
code=0
(cd "$folder" && ANOLE_PLUGIN_DIR='' ANOLE_PLUGIN_PATH="$folder/plugins" "$example" "$networks/tiny.json" nothing \
    >out 2>err) || code=$?
check 'it says what is wrong' '[ $code -eq 1 ] && grep -q "^tune: there is no device" "$folder/err"'

# The other one runs a network, on a backend whose layers are computed on the host.
rm "$folder/plugins/simulated.so"
ln -s "${ANOLE_TEST_PLUGINS:-$PWD/tests/plugins/built}/good.so" "$folder/plugins/"
run=$PWD/examples/run/run
check 'the example runs' '(cd "$folder" && ANOLE_PLUGIN_DIR= ANOLE_PLUGIN_PATH="$folder/plugins" \
    "$run" "$networks/tiny.json" good >out 2>err)'
check 'its output is the ten probabilities' \
    'awk "/^prob/ { sum += \$3; n++ } END { exit !(n == 10 && sum > 0.999 && sum < 1.001) }" "$folder/out"'
check 'and it says how much is tuned' 'grep -q "^0 of [1-9][0-9]* steps are tuned; " "$folder/out"'
exit $failed
