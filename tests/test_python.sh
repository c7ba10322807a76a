#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The Python package, as it stands in bindings/python: its declarations are the header's, it runs
# and tunes on test plugins, and its example runs on the backend cpu.  Skipped where there is no
# Python with cffi and numpy, and where the library is built with sanitizers.
set -eu
srcdir=$(cd "${srcdir:-$(dirname "$0")/..}" && pwd)
: "${PYTHON:=python3}"
if ! "$PYTHON" -c 'import cffi, numpy' >/dev/null 2>&1; then
    echo "skipped: there is no $PYTHON with cffi and numpy" >&2
    exit 77
fi
if [ -n "${EXAMPLE_FLAGS:-}" ]; then
    echo "skipped: Python cannot load a library with sanitizers" >&2
    exit 77
fi
folder=$(mktemp -d "${TMPDIR:-/tmp}/anole-test-XXXXXX")
trap 'rm -rf "$folder"' EXIT
failed=0
package=$srcdir/bindings/python/src/anole

"$srcdir/bindings/python/make_cdef" "$srcdir/include" >"$folder/anole.cdef"
if ! diff "$package/anole.cdef" "$folder/anole.cdef"; then
    echo "FAIL: anole.cdef is not of include/anole/anole.h: run bindings/python/make_cdef"
    failed=1
fi

plugins=$folder/plugins
mkdir "$plugins"
built=${ANOLE_TEST_PLUGINS:-$PWD/tests/plugins/built}
ln -s "$built/good.so" "$built/simulated.so" "$plugins/"
network=
if [ -e plugins/.libs/cpu.so ]; then
    ln -s "$PWD/plugins/.libs/cpu.so" "$plugins/"
    network=$srcdir/tests/data/run/small.onnx
fi
export ANOLE_LIBRARY="$PWD/.libs/libanole.so" ANOLE_WORKER="${ANOLE_WORKER:-$PWD/anole-worker}"
export ANOLE_PLUGIN_PATH="$plugins" ANOLE_PLUGIN_DIR='' PYTHONDONTWRITEBYTECODE=1
export PYTHONPATH="$srcdir/bindings/python/src"
networks=${ANOLE_NETWORKS:-$srcdir/networks}
case $networks in /*) ;; *) networks=$PWD/$networks ;; esac
(cd "$folder" && "$PYTHON" "$srcdir/tests/test_python.py" "$package" "$networks" $network) || failed=1

if [ -n "$network" ]; then
    if NETWORK=$network SECONDS=1 THREADS=1 "$PYTHON" "$srcdir/examples/python/speedup.py" \
        >"$folder/out" 2>&1 && grep -q '^tuned: .* ms' "$folder/out"; then
        echo "ok: the example runs"
    else
        echo "FAIL: the example"
        cat "$folder/out"
        failed=1
    fi
fi
exit $failed
