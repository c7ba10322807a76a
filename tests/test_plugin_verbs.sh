#!/bin/sh
# SPDX-License-Identifier: MIT
#
# `anole plugin` from outside: verbs, messages, exit codes.  One line a case;
# exits 1 if one failed.
set -u
include=${ANOLE_INCLUDE:-include}
case $include in /*) ;; *) include=$PWD/$include ;; esac
. "${srcdir:-.}/tests/script.sh"
program=$anole
example=$examples/plugin
unset ANOLE_PLUGIN_PATH
ANOLE_PLUGIN_DIR=
export ANOLE_PLUGIN_DIR

# -- words --
expect 0 'Verbs:' plugin --help
expect 2 'expected a verb' plugin
expect 2 'did you mean .list' plugin lits
for verb in list new check; do
    expect 0 "Usage: anole plugin $verb" plugin $verb --help
    expect 2 'unknown option --jsno' plugin $verb --jsno
done

# -- list --
expect 3 'looked in' plugin list
expect 2 'unexpected argument' plugin list all
mkdir here
ln -s "$plugins/good.so" "$plugins/magic.so" "$plugins/abort.so" "$plugins/drivers.so" here
echo 'no plugin' >here/text.so
ANOLE_PLUGIN_PATH=$folder/here
export ANOLE_PLUGIN_PATH
expect 0 '^good  *1.0  *loaded  *1 ' plugin list
check 'a refused one says why' 'grep -q "/magic.so: has the wrong magic number" out'
check 'one that crashes as well' 'grep -q "/abort.so: .*SIGABRT" out'
check 'a driver that crashes is named' 'grep -q "^drivers has trouble: .*crash: " out'
check 'all are data, none is an error' '[ ! -s err ]'
expect 0 '"verdict": "has the wrong magic number"' plugin list --json
check 'devices have their ids' 'grep -q "\"good:0\"" out && grep -q "\"drivers:2\"" out'
check 'the folders are named' 'grep -q "\"searched\": \".*/here\"" out'
if command -v python3 >/dev/null; then
    check 'it is JSON' 'python3 -m json.tool out >/dev/null'
fi
rm here/good.so here/drivers.so
expect 3 'no backend could be loaded: found 3 files' plugin list
check 'and yet they are listed' 'grep -q "^text.so .*refused" out'

# -- new --
expect 2 'expected NAME, found nothing' plugin new
expect 2 'unexpected argument' plugin new one two
long=$(printf '%049d' 0)
for name in '' New 'a b' a.b ../a '-' "$long"; do
    expect 2 'is no name for a backend' plugin new -- "$name"
done
expect 2 'here exists already' plugin new mine --directory here
expect 1 'No such file' plugin new mine --directory no/such
: >there
expect 2 'there exists already' plugin new there
check 'a refusal leaves nothing' '[ "$(ls | tr "\n" " ")" = "err here out there " ]'
expect 0 'make -C newt' plugin new newt
check 'it is the example' 'diff -r -x "*.so" newt "$example" >diff.out'
expect 0 'my-2nd_npu.so' plugin new my-2nd_npu --directory mine
check 'under another name' 'ls mine | tr "\n" " " | grep -q "^Makefile README.md my-2nd_npu.c my-2nd_npu_kernels.c"'
check 'nothing speaks of the old one' '! grep -rq newt mine'

# Builds with nothing but what pkg-config says; a stand-in says where the header is.
mkdir bin
printf '#!/bin/sh\necho "-I%s"\n' "$include" >bin/pkg-config
chmod +x bin/pkg-config
unset MAKEFLAGS MAKELEVEL MFLAGS
check 'it builds' 'PATH=$folder/bin:$PATH make -C mine CC="${CC:-cc}" LDFLAGS="${EXAMPLE_FLAGS-}" >out 2>&1 || { cat out; false; }'
check 'without a warning' '! grep -q warning out'
ANOLE_PLUGIN_PATH=$folder/mine
expect 0 '^my-2nd_npu  *0.1  *loaded  *1 ' plugin list
expect 0 'wrote l.json' tune "$networks/tiny.json" --device my-2nd_npu --trials 12 \
    --history h --output l.json
check 'no trial failed' '! grep "\"outcome\"" h | grep -v "\"outcome\":\"ok\"" | grep .'

# -- C++ --
if command -v c++ >/dev/null; then
    cat >cpp.cpp <<'CPP'
#include <anole/plugin.h>
static int probe(const struct anole_host *, const char *, struct anole_device *, uint32_t *count,
                 struct anole_message *)
{
    *count = 0;
    return ANOLE_OK;
}
static int supports(const struct anole_device *, const struct anole_task *) { return 0; }
ANOLE_PLUGIN("cpp", "1", 1, .probe = probe, .supports = supports);
static_assert(sizeof anole_plugin > 0, "it is there");
CPP
    for standard in 14 17 20; do
        check "the macro compiles as C++$standard" 'c++ -std=c++$standard -Wall -Wextra -Wpedantic -Werror \
            -I"$include" -fPIC -shared -o cpp.so cpp.cpp >out 2>&1 || { cat out; false; }'
    done
    expect 3 'required op "space" is missing\|"space" is missing' plugin check cpp.so
fi

# -- check --
unset ANOLE_PLUGIN_PATH
expect 2 'expected FILE.so' plugin check
expect 2 'unexpected argument' plugin check a.so b.so
expect 2 '\-\-samples' plugin check a.so --samples 0
expect 2 'no duration' plugin check a.so --limit soon
expect 3 'No such file' plugin check none.so
expect 3 'wrong magic number' plugin check "$plugins/magic.so"
expect 3 'there is no device "my-2nd_npu:7"' plugin check mine/my-2nd_npu.so --device my-2nd_npu:7
expect 0 '0 do not, 4 were skipped' plugin check mine/my-2nd_npu.so --samples 2
check 'one line a clause' '[ "$(grep -c "^pass " out)" -eq 30 ]'
expect 0 '"failed": 0' plugin check mine/my-2nd_npu.so --samples 1 --json
expect 2 'did you mean .loads' plugin check mine/my-2nd_npu.so --clause load
expect 0 '3 clauses hold, 0 do not, 0 were' plugin check mine/my-2nd_npu.so --clause says-what-it-supports \
    --network "$networks/tiny.json"
check 'a device is written down' '"$program" plugin check mine/my-2nd_npu.so --record-device device.json'
expect 0 '^skipped *builds-or-refuses .*recorded' plugin check mine/my-2nd_npu.so --recorded-device device.json
expect 2 'goes with no --device' plugin check mine/my-2nd_npu.so --recorded-device device.json --device x
expect 5 '^fail *outputs-equal-the-reference' plugin check "$plugins/nan.so" --samples 1
expect 3 '^fail *keeps-stdout-clean .*a plugin should not' plugin check "$plugins/print.so" --samples 1

exit $failed
