#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Leaks and wild accesses, as valgrind sees them: the tuner's program, its workers,
# and the tests that need neither.  Not part of the suite: it takes minutes.  From
# the build folder, after `make check`:
#
#   sh SOURCES/tests/faults/valgrind.sh
#
# Counts what is definitely or indirectly lost, and errors; exits 1 if there are any.
set -u
build=$PWD
ANOLE=$build/anole
ANOLE_TEST_PLUGINS=$build/tests/plugins/built
ANOLE_WORKER=$build/anole-worker
export ANOLE ANOLE_TEST_PLUGINS ANOLE_WORKER
sources=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
ANOLE_TEST_DATA=$sources/tests/data
ANOLE_NETWORKS=$sources/networks
export ANOLE_TEST_DATA ANOLE_NETWORKS
srcdir=$sources
. "$sources/tests/faults/script.sh"

watch="valgrind --quiet --leak-check=full --show-leak-kinds=definite,indirect
    --errors-for-leak-kinds=definite,indirect --error-exitcode=99
    --suppressions=$sources/tests/faults/valgrind.supp --child-silent-after-fork=yes"
programs=0 bad=0

# run NAME COMMAND...
run() {
    name=$1
    shift
    programs=$((programs + 1))
    # shellcheck disable=SC2086 # several words
    $watch --log-file="$folder/log.%p" "$@" >out 2>err </dev/null
    code=$?
    if [ -n "$(find . -maxdepth 1 -name 'log.*' -size +0)" ]; then
        echo "$name: $(cat log.* | grep -c ' lost in loss\|Invalid \|ninitialised') findings" \
            "(exit code $code)"
        head -n 20 log.*
        bad=$((bad + 1))
    else
        echo "$name: nothing (exit code $code)"
    fi
    rm -f log.*
}

for test in ${TESTS-text json statistics wire protocol history history_damage lockfile task network \
    expression space trials feature schedule options patience fuzz}; do
    [ -x "$build/tests/test_$test" ] && run "test_$test" "$build/tests/test_$test"
done

only quick simulated
dense 3 net.json
# Workers, too: each leaves a log of its own.
cat >worker <<WORKER
#!/bin/sh
exec $(echo $watch) --log-file=$folder/log.%p $build/anole-worker "\$@"
WORKER
chmod +x worker
ANOLE_WORKER=$folder/worker
run 'anole devices' "$anole" devices
run 'anole tasks' "$anole" tasks net.json --device simulated
run 'anole tune, simulated' "$anole" tune net.json --device simulated --trials 12 --history s \
    --output s.json
run 'anole tune, failing' "$anole" tune net.json --device quick --trials 24 --explorer random \
    --history q --output q.json
run 'anole best' "$anole" best s.json
run 'anole best --failures' "$anole" best --failures q
run 'anole replay-trial' "$anole" replay-trial q 1
run 'anole doctor' "$anole" doctor --device quick
run 'anole verify' "$anole" verify s.json --device simulated
echo "$programs runs, $bad with findings"
[ $bad -eq 0 ]
