#!/bin/sh
# SPDX-License-Identifier: MIT
#
# ONNX's own tests of its operators: none may come out wrong, and what passes and what is
# refused is as docs/onnx.md says, for the version of the tests that it names.
set -eu
srcdir=${srcdir:-.}
data=${ANOLE_ONNX_TESTDATA:-/usr/share/libonnx-testdata/data}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

if [ ! -d "$data/node" ]; then
    echo "skipped: ONNX's tests are not in $data (package libonnx-testdata)" >&2
    exit 77
fi
tests/onnx_conformance --table "$data/node" >"$out/table" || {
    grep ' wrong$' "$out/table"
    exit 1
}
tail -n 1 "$out/table"
cases=$(ls "$data/node" | wc -l)
if grep -q "^$cases cases of ONNX" "$srcdir/docs/onnx.md"; then
    sed -n '/^| operator | passed/,$p' "$srcdir/docs/onnx.md" >"$out/said"
    if ! cmp -s "$out/table" "$out/said"; then
        diff "$out/said" "$out/table" || true
        echo "docs/onnx.md says something else; to renew the table, put there the output of" >&2
        echo "  tests/onnx_conformance --table $data/node" >&2
        exit 1
    fi
fi
