# SPDX-License-Identifier: MIT
#
# What the scripts share: sourced, not run.  Leaves them in a folder of their own, which
# goes when they end; $failed says whether a check has failed.

anole=${ANOLE:-./anole}
plugins=${ANOLE_TEST_PLUGINS:-tests/plugins/built}
networks=${ANOLE_NETWORKS:-networks}
data=${ANOLE_TEST_DATA:-tests/data}
examples=${ANOLE_EXAMPLES:-examples}
for name in anole plugins networks data examples; do
    eval "path=\$$name"
    case $path in /*) ;; *) eval "$name=\$PWD/\$path" ;; esac
done
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
failed=0

fail() {
    echo "FAIL: $1"
    failed=1
}

# The end of what was said last, where something did not go well.
show() {
    cat out err 2>/dev/null | cut -c 1-300 | sed 's/^/    /' | tail -n 12
}

# expect CODE PATTERN WORD...: runs the words, behind $program (a program or a function) if the
# script has set that, compares the exit code, and looks for PATTERN (a basic regular expression)
# in what was said on either stream.  CODE is an expression, too: verify ends with 6 where a
# kernel was slow, which on a machine that does other work says nothing about the kernel.
program=
expect() {
    code=$1 pattern=$2
    shift 2
    found=0
    ${program:+"$program"} "$@" >out 2>err </dev/null || found=$?
    if ! echo "$found" | grep -qx -e "$code"; then
        fail "$*: expected exit code $code, found $found and:"
        show
    elif ! cat out err | grep -q -e "$pattern"; then
        fail "$*: expected '$pattern' in:"
        show
    else
        echo "ok: $*" | cut -c 1-150
    fi
}

# check WORDS CONDITION: the condition is evaluated.
check() {
    if eval "$2"; then
        echo "ok: $1"
    else
        fail "$1"
        show
    fi
}

need_cpu_device() {
    "$anole" devices 2>/dev/null | grep -q '^cpu:0 ' || {
        echo "skipped: there is no CPU device"
        exit 77
    }
}

# Sets $pocl: PoCL's .icd file.
need_pocl() {
    pocl=
    for icd in /etc/OpenCL/vendors/*.icd; do
        case $icd in *pocl*) pocl=$icd ;; esac
    done
    [ -n "$pocl" ] || {
        echo "skipped: PoCL is not installed; on Debian and Ubuntu: apt-get install pocl-opencl-icd"
        exit 77
    }
}
