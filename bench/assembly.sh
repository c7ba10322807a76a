#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What the compiler makes of a layer's inner loop: instructions counted, and cycles as
# llvm-mca foretells them with all data in L1, against what the multiply-adds alone take.
#
#   ../bench/assembly.sh NETWORK TEXT [KNOB=VALUE,...]        # in the build folder, after make bench
#
# Arguments are those of steps.sh, but TEXT is to be in one layer's name only.  PoCL on
# x86-64 only.  LISTING=FILE keeps the loop.  LLVM_MCA names the program; MCA_CPU the CPU
# that it takes for the one at hand, by default icelake-server, whose two 512-bit
# multiply-adds, two loads and one store a cycle are those of Zen 5; where AVX-512 is
# missing, haswell, which has as many of 256 bits.
set -eu

if [ $# -lt 2 ] || [ $# -gt 3 ]; then
    sed -n '4,13s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
bench=${BENCH_KERNELS:-bench/anole-bench-kernels}
mca=${LLVM_MCA:-llvm-mca}
cpu=haswell
if grep -q avx512f /proc/cpuinfo; then cpu=icelake-server; fi
for tool in "$bench" objdump "$mca" python3; do
    command -v "$tool" >/dev/null || {
        echo "assembly.sh: no program $tool; make bench builds anole-bench-kernels, objdump" \
            "comes with binutils, llvm-mca with llvm (LLVM_MCA=llvm-mca-15 for another name)" >&2
        exit 1
    }
done

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
network=$1 only=$2
if [ $# -eq 3 ]; then set -- --set "$3"; else set -- --default; fi
# PoCL keeps the machine code of what it has built in its cache; this one is empty.
mkdir "$folder/cache"
POCL_KERNEL_CACHE=1 POCL_CACHE_DIR="$folder/cache" "$bench" --network "$network" --threads 1 \
    --only "$only" --rounds 2 "$@" --json >"$folder/report" 2>"$folder/log" || {
    cat "$folder/log" >&2
    exit 1
}
python3 - "$folder/report" <<'END'
import json, sys

layers = [x for n in json.load(open(sys.argv[1]))["networks"] for x in n["layers"]]
if len(layers) != 1:
    sys.exit("assembly.sh: expected a text that is in one layer's name, found it in: " +
             ", ".join(x["label"] for x in layers))
print(layers[0]["label"])
END
# The other library is of the program that measures the core's peak.
find "$folder/cache" -name '*.so' ! -name peak.so -exec \
    python3 "$here/assembly_loop.py" "${LISTING:-$folder/loop.s}" {} +
"$mca" -mcpu="${MCA_CPU:-$cpu}" -iterations=1000 "${LISTING:-$folder/loop.s}" >"$folder/mca"
awk -v cpu="${MCA_CPU:-$cpu}" '/^Total Cycles/ { cycles = $3 / 1000 }
    /^Block RThroughput/ { least = $3 }
    END { printf "llvm-mca, %s: block reciprocal throughput %s, simulated %.1f cycles\n",
          cpu, least, cycles }' "$folder/mca"
