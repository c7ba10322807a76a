#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The workflows of examples/ci: their commands are run, as their CI would run them, but for those of
# apt; twice, first without a baseline.
set -u
. "${srcdir:-.}/tests/script.sh"
need_cpu_device

# The commands of a workflow: what stands in blocks under "run:" or in lists, but for apt's.
commands() {
    awk '
    { match($0, /^ */); indent = RLENGTH }
    inside && NF && indent <= from { inside = 0 }
    inside { print substr($0, from + 3) }
    /(run:|^ *-) \|$/ { inside = 1; from = indent }
    ' "$1" | sed -e ':again' -e '/apt-get.*\\$/{' -e N -e 's/\\\n//' -e 'b again' -e '}' -e '/apt-get/d'
}
# Its variables, NAME='VALUE'.
variables() {
    sed -n "s/^  \([A-Z_]*\): \([^#]*[^# ]\)\( *#.*\)*\$/\1='\2'/p" "$1"
}

mkdir bin
printf '#!/bin/sh\nexec "%s" "$@"\n' "$anole" >bin/anole
printf '#!/bin/sh\necho "$*" is not to be run here >&2\nexit 9\n' >bin/git
cp bin/git bin/sudo
chmod +x bin/*
PATH=$PWD/bin:$PATH
for name in github gitlab; do
    workflow=$examples/ci/$name.yml
    commands "$workflow" >commands
    variables "$workflow" >variables
    check "$name: there are commands" 'grep -q "anole check" commands && grep -q "anole tune" commands && sh -n commands'
    check "$name: none of apt" '! grep -q "apt-get\|libjansson" commands'
    check "$name: its variables" '[ "$(grep -c = variables)" -eq 6 ] && grep -q "TOLERANCE=.10%." variables'
    if python3 -c 'import yaml' 2>/dev/null; then
        check "$name: it is YAML, with these commands" 'python3 - "$workflow" >expected <<END && grep -v "^ *$" expected >a && grep -v "^ *$" commands | diff a -
import re, sys, yaml
text = yaml.safe_load(open(sys.argv[1]))
steps = [step["run"] for step in text["jobs"]["kernels"]["steps"] if "run" in step] if "jobs" in text \\
    else text["kernels"]["before_script"] + text["kernels"]["script"]
for line in "".join(steps).replace("\\\\\n", "\0").split("\n"):
    if "apt-get" not in line:
        print(line.replace("\0", "\\\\\n"))
END'
    fi
    mkdir "$name"
    cp "$networks/tiny.json" "$name/net.json"
    # A short run: a few trials say nothing of speed, so that nothing may be called slower.
    { cat variables
      echo "NETWORK=net.json BASELINE=net.lock.json TOLERANCE=1000% TUNE_FOR=4s TIME_EACH=20ms"
      echo "export NETWORK BASELINE TOLERANCE TUNE_FOR TIME_EACH ANOLE_SOURCE; unset GITHUB_STEP_SUMMARY; cd $name"
      cat commands; } >script
    expect 0 '^network in place\|network in place  *ok' sh -e script
    check "$name: it was tuned" 'grep -q "^wrote net.lock.json" out'
    check "$name: files" 'grep -q "<testsuites.* tests=\"8\" failures=\"0\"" $name/anole.xml && grep -q "^### Anole: tiny on cpu" $name/summary.md'
    expect 0 'network in place  *ok' sh -e script
    check "$name: the second time it was only checked" '! grep -q "^wrote net.lock.json" out'
    [ $name = github ] || continue # the rest is the same
    # A lock file of another machine is no baseline, and is kept.
    sed 's/"device": "/&another /' "$name/net.lock.json" >other && cp other "$name/net.lock.json"
    expect 0 'no baseline of' sh -e script
    check "$name: both are there" '[ "$(grep -c "\"device\":" $name/net.lock.json)" -eq 2 ]'
    sed 's/"speedup": [0-9.e-]*, "speedup_low": [0-9.e-]*, "speedup_high": [0-9.e-]*/"speedup": 1e3, "speedup_low": 1e3, "speedup_high": 1e3/' \
        "$name/net.lock.json" >fast && cp fast "$name/net.lock.json"
    expect 6 slower sh -e script
    check "$name: failures" 'grep -q "<failure .*slower" $name/anole.xml'
done
exit $failed
