#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Kernels of the user's own from outside, on PoCL: tuned, resumed, verified, exported;
# and what becomes of those that misbehave.  One line a case; exits 1 if one failed.
set -u
. "${srcdir:-.}/tests/script.sh"
program=$anole

# has MODE OUTCOME [MESSAGE]: that config's line in modes.history
has() {
    check "mode $1 is $2" "grep -q '\"MODE\":$1}.*\"outcome\":\"$2\".*${3-}' modes.history"
}

# -- a kernel that misbehaves in every way, as MODE says --
cat >modes.cl <<'KERNEL'
__kernel void modes(__global const int *in, const float factor, __global int *out,
                    __global int *counts, __local int *scratch)
{
    const int i = get_global_id(0);
    scratch[get_local_id(0)] = in[i];
    barrier(CLK_LOCAL_MEM_FENCE);
#if MODE == 5
    this is no OpenCL C;
#endif
    if (MODE == 1 && i == 77)
        out[i] = 0;
    else if (MODE != 3 || i != 200)
        out[i] = (int)(scratch[get_local_id(0)] * factor);
    if (MODE == 2 && i == 0)
        out[256] = 0;
    if (MODE == 4)
        *(__global volatile int *)(size_t)(i & 1) = 1;
    counts[i] += i; /* in place: from what was there before each run */
}
KERNEL
cat >plain.cl <<'KERNEL'
__kernel void plain(__global const int *in, const float factor, __global int *out,
                    __global int *counts, __local int *scratch)
{
    const int i = get_global_id(0);
    out[i] = (int)(in[i] * factor);
    counts[i] += i;
}
KERNEL
describe() { # MODES DEFAULT REFERENCE: the description
    cat <<JSON
{"General": {"BenchmarkName": "modes"},
 "ConfigurationSpace": {"TuningParameters": [
    {"Name": "WG", "Type": "int", "Values": "[8]"},
    {"Name": "MODE", "Type": "int", "Values": "$1", "Default": $2}]},
 "KernelSpecification": {"Language": "OpenCL", "KernelName": "modes", "KernelFile": "modes.cl",
    "ProblemSize": [256], "GlobalSize": {"X": "ProblemSize[0]"}, "LocalSize": {"X": "WG"},
    "Arguments": [
        {"Name": "in", "Type": "int32", "MemoryType": "Vector", "AccessType": "ReadOnly",
         "Size": "ProblemSize[0]", "FillType": "Random", "FillValue": 1000},
        {"Name": "factor", "Type": "float", "MemoryType": "Scalar", "FillValue": 2.5},
        {"Name": "out", "Type": "int32", "MemoryType": "Vector", "AccessType": "WriteOnly",
         "Size": "ProblemSize[0]"},
        {"Name": "counts", "Type": "int32", "MemoryType": "Vector", "AccessType": "ReadWrite",
         "Size": "ProblemSize[0]", "FillType": "Constant", "FillValue": 3},
        {"Name": "scratch", "Type": "int32", "MemoryType": "Local", "Size": "WG"}]
    $3}}
JSON
}
plain=', "ReferenceKernel": {"KernelName": "plain", "KernelFile": "plain.cl",
          "GlobalSize": {"X": "ProblemSize[0]"}, "LocalSize": {"X": "1"}}'

describe 'range(6)' 0 "$plain" >modes.json
expect 0 'modes' tasks --kernel modes.json
expect 0 '  6 *$' tasks --kernel modes.json --device cpu
expect 0 'wrote modes.lock.json' tune --kernel modes.json --device cpu --time 10m --trials 100
has 0 ok
has 1 wrong-answer 'output out\[77\] is wrong'
has 2 wrong-answer 'wrote behind its output out'
has 3 wrong-answer 'output out\[200\] was never written'
has 4 crash
has 5 compile
check 'every config was tried once' '[ "$(grep -c outcome modes.history)" -eq 6 ]'
expect 0 'wrote modes.lock.json' tune --kernel modes.json --device cpu --trials 100
check 'a second run resumes: nothing is left to try' '[ "$(grep -c outcome modes.history)" -eq 6 ]'
expect 0 'MODE=0' best modes.lock.json
expect '[06]' 'right' verify modes.lock.json --device cpu
expect 0 'WG=8' best modes.lock.json --kernels out.d --device cpu
check 'the kernel is exported whole' 'grep -q "define MODE 0" out.d/*.cl &&
    grep -q "\"role\": \"value\"" out.d/kernels.json'

# -- stopped, it goes on --
describe '[0]' 0 "$plain" | sed 's/"\[8\]"/"[1, 2, 4, 8, 16, 32, 64, 128, 256]"/' >long.json
"$anole" tune --kernel long.json --device cpu --time 5m --history long.history \
    --output long.lock.json >out 2>err </dev/null &
pid=$!
tries=0
until [ "$(grep -c outcome long.history 2>/dev/null)" -ge 2 ] 2>/dev/null || [ $tries -ge 600 ]; do
    sleep 0.1
    tries=$((tries + 1))
done
kill -INT $pid 2>/dev/null
wait $pid
code=$?
# Nine configs may be done before the signal arrives.
check 'a run that is stopped says how to go on' '[ $code -eq 0 ] ||
    { [ $code -eq 130 ] && grep -q "anole tune --kernel long.json --device cpu" err; }'
expect 0 'wrote' tune --kernel long.json --device cpu --trials 9 --history long.history \
    --output long.lock.json
check 'nothing is done twice' '[ "$(grep -c outcome long.history)" -eq 9 ]'

# -- the description is a part of the task --
echo '/* changed */' >>modes.cl
expect 2 'tune again' verify modes.lock.json --device cpu
expect 0 'wrote' tune --kernel modes.json --device cpu --trials 1
check 'a changed source begins anew' '[ "$(grep -c outcome modes.history)" -eq 7 ]'

# -- what there is no reference for --
describe '[0, 1, 2]' 1 '' >lost.json
expect 2 'which is right' tune --kernel lost.json --output lost.lock.json --device cpu --trials 3 --history lost.history
describe '[5]' 5 '' >broken.json
expect 2 'default config of modes does not work' tune --kernel broken.json --output broken.lock.json --device cpu --trials 1
describe '[4]' 4 '' >crash.json
expect 2 'reference of modes.*cannot be computed' tune --kernel crash.json --output crash.lock.json --device cpu --trials 1
describe '[0, 4]' 0 '' >rest.json
expect 0 'wrote' tune --kernel rest.json --output rest.lock.json --device cpu --trials 2 --history rest.history
check 'a crash does not check the default' 'grep -q "\"MODE\":0}.*\"outcome\":\"ok\"" rest.history'
sed 's/"Name": "out", /&"Output": 1, /; 
     s/"ProblemSize": \[256\],/& "ReferenceData": {"ReferenceArguments": [{"Name": "out", "FillType": "BinaryRaw", "DataSource": "raw"}]},/' lost.json >raw.json
expect 2 'raw: there is no such file' tune --kernel raw.json --device cpu --trials 1
printf 'abc' >raw
expect 2 'expected 1024' tune --kernel raw.json --device cpu --trials 1
dd if=/dev/zero of=raw bs=1024 count=1 2>/dev/null
expect 4 'nothing valid' tune --kernel raw.json --device cpu --trials 3 --history raw.history \
    --output raw.lock.json

# -- bad input --
expect 2 'NETWORK or --kernel' tune
expect 2 'found both' tune x.json --kernel modes.json
expect 2 'no such file' tune --kernel none.json --device cpu
head -c 400 modes.json >cut.json
expect 2 'cut.json:[0-9]*: column' tune --kernel cut.json --device cpu
sed 's/OpenCL/CUDA/' modes.json >other.json
expect 2 'expected "OpenCL"' tune --kernel other.json --device cpu
sed 's/modes.cl/none.cl/' modes.json >nowhere.json
expect 2 'none.cl' tasks --kernel nowhere.json
sed 's/range(6)/[q]/' modes.json >value.json
expect 2 'TuningParameters\[1\] "MODE"' tasks --kernel value.json
check 'bad input is told in one line' '[ "$(wc -l <err)" -eq 1 ]'

# -- the examples --
mkdir gemm
cp "$examples"/gemm/* gemm/
sed 's/\[512, 512, 512\]/[128, 128, 64]/' gemm/gemm.json >gemm/small.json
sed 's/\[512, 512, 512\]/[128, 128, 64]/' gemm/clblast.json >gemm/small_clblast.json
expect 0 'wrote gemm.lock.json' tune --kernel gemm/small.json --device cpu --trials 3
check 'all of GEMM is right' '! grep -q wrong-answer gemm.history'
# What CLBlast's tuner measured elsewhere comes right after the default.
same='"KWG": 16, "KWI": 2, "MDIMA": 8, "MDIMC": 8, "MWG": 64, "NDIMB": 8, "NDIMC": 8, "SA": 1, "SB": 1, "STRM": 0, "STRN": 0, "VWM": 4'
cat >clblast_xgemm_1_32.json <<JSON
{"kernel_family": "xgemm_1", "clblast_device_name": "Loom", "results": [
  {"kernel": "Xgemm", "time": 1.2, "parameters": {$same, "NWG": 64, "VWN": 4}},
  {"kernel": "Xgemm", "time": 1.1, "parameters": {$same, "NWG": 64, "VWN": 1}},
  {"kernel": "Xgemm", "time": 0.9, "parameters": {$same, "NWG": 64, "VWN": 2}},
  {"kernel": "Xgemm", "time": 1.9, "parameters": {$same, "NWG": 128, "VWN": 4}}]}
JSON
expect 0 ': 4 trials added' history import clblast_xgemm_1_32.json --t1 gemm/small.json --backend cpu --output imported
expect 0 'wrote' tune --kernel gemm/small.json --device cpu --trials 2 --transfer imported --history after --output after.lock.json
check 'the best of what was imported is tried' 'grep -q "\"NWG\":64,.*\"VWN\":2,.*\"outcome\":\"ok\"" after'
if gemm/clblast_source >gemm/clblast.cl 2>/dev/null; then
    expect 0 'wrote' tune --kernel gemm/small_clblast.json --device cpu --trials 3
    check 'all of CLBlast is right' '! grep -q wrong-answer clblast_gemm.history'
else
    echo "skipped: CLBlast is not installed"
fi
expect 0 'wrote reduction.lock.json' tune --kernel "$examples/reduction/reduction.json" \
    --device cpu --trials 3
check 'all of the reduction is right' '! grep -q wrong-answer reduction.history'


# -- what proves nothing --
cat >nothing.cl <<'KERNEL'
__kernel void nothing(__global float *out) {}
KERNEL
cat >huge.cl <<'KERNEL'
__kernel void nothing(__global float *out) { out[get_global_id(0) & 255] = A; }
KERNEL
# describe_nothing SOURCE GLOBAL
describe_nothing() {
    cat <<JSON
{"General": {"BenchmarkName": "nothing"}, "ConfigurationSpace": {"TuningParameters": [{"Name": "A", "Type": "int",
  "Values": "[1, 2, 3, 4]", "Default": 1}]},
 "KernelSpecification": {"Language": "OpenCL", "KernelName": "nothing", "KernelFile": "$1", "GlobalSizeType": "OpenCL",
  "ProblemSize": [256], "GlobalSize": $2, "LocalSize": {"X": "64", "Y": "1", "Z": "1"},
  "Arguments": [{"Name": "out", "Type": "float", "MemoryType": "Vector", "AccessType": "WriteOnly", "Size": 256,
    "Output": 1}]}}
JSON
}
describe_nothing nothing.cl '{"X": "256", "Y": "1", "Z": "1"}' >nothing.json
expect 2 'writes nothing to its output out' tune --kernel nothing.json --device cpu --trials 4 \
    --output nothing.lock.json
describe_nothing huge.cl '{"X": "16777216 * 16777216", "Y": "16777216 * 16777216", "Z": "16777216 * 16777216"}' >huge.json
expect 2 'more than 2^48 work-items' tune --kernel huge.json --device cpu --trials 4 \
    --output huge.lock.json
describe_nothing huge.cl '{"X": "256", "Y": "1", "Z": "1"}' |
    sed 's/"Arguments"/"ReferenceArguments": [{"Name": "r", "TargetName": "out", "FillType": "Constant", "FillValue": 2.5, "ValidationMethod": "SideBySideComparison", "ValidationThreshold": 0.5}], &/' >answer.json
expect 0 'wrote answer' tune --kernel answer.json --device cpu --trials 4 --history answer.history --output answer.lock.json
check 'only 2 and 3 are right by the answer of the file' \
    '[ "$(grep "\"A\":[14]}.*wrong-answer\|\"A\":[23]}.*\"ok\"" answer.history | wc -l)" -eq 4 ]'
sed 's/"ValidationThreshold": 0.5/"ValidationThreshold": 0.25/' answer.json >none.json
expect 4 'nothing valid' tune --kernel none.json --device cpu --trials 4 --history none.history --output none.lock.json

# -- a lock file does not choose what is run --
mkdir -p elsewhere here
sed 's/= A;/= 7;/' huge.cl >elsewhere/huge.cl
describe_nothing huge.cl '{"X": "256", "Y": "1", "Z": "1"}' >elsewhere/ours.json
expect 0 'wrote' tune --kernel elsewhere/ours.json --device cpu --trials 2 --output here/lock.json
expect 2 'outside its folder' verify here/lock.json --device cpu
check 'it is not exported either' '! "$anole" best here/lock.json --kernels stolen --device cpu 2>/dev/null'
expect '[06]' 'the kernel is that of elsewhere/ours.json' verify here/lock.json --device cpu \
    --kernel elsewhere/ours.json
cp here/lock.json .
expect '[06]' 'right' verify lock.json --device cpu

exit $failed
