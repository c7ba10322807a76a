#!/bin/sh
# SPDX-License-Identifier: MIT
#
# bench/assembly_loop.py finds the loop that carries sums, past one with more
# multiply-adds that carries none and an outer one, and counts it right.
. "${srcdir:-.}/tests/script.sh"
set -u
loop=$(dirname "$networks")/bench/assembly_loop.py
for tool in python3 as ld objdump; do command -v $tool >/dev/null || exit 77; done
[ "$(uname -m)" = x86_64 ] || exit 77

cat >transform.s <<'END'
transform:
    vmovups (%rax), %ymm0
    vfmadd213ps %ymm1, %ymm2, %ymm0
    vfmadd213ps %ymm1, %ymm2, %ymm0
    vfmadd213ps %ymm1, %ymm2, %ymm0
    vfmadd213ps %ymm1, %ymm2, %ymm0
    vmovups %ymm0, (%rdx)
    dec %rcx
    jne transform
END
cat >products.s <<'END'
outer:
    vxorps %xmm3, %xmm3, %xmm3
inner:
    vmovups (%rax), %ymm0
    vbroadcastss 4(%rbx), %ymm1
    prefetcht0 512(%rax)
    vfmadd231ps %ymm0, %ymm1, %ymm3
    vfmadd231ps 32(%rax), %ymm1, %ymm4
    vmovups %ymm0, -64(%rsp)
    vfmadd231ps -96(%rsp), %ymm1, %ymm5
    add $64, %rax
    dec %rcx
    jne inner
    vmovups %ymm3, (%rdx)
    dec %rsi
    jne outer
END
link() { # NAME FILE...
    name=$1 && shift
    cat "$@" >"$name.s" && as -o "$name.o" "$name.s" && ld -shared -o "$name.so" "$name.o"
}
link both transform.s products.s || exit 99
link none transform.s || exit 99

counts='10 instructions, 3 FMAs, 3 sums, 4 loads, 1 of them broadcasts, 1 prefetches, 1 stores, 2 to or from the stack'
expect 0 "^$counts\$" python3 "$loop" loop.s both.so
expect 0 'bounds at two a cycle: 1.5 cycles an iteration by FMAs, 2 by loads' \
    python3 "$loop" loop.s none.so both.so
check 'the loop is kept, and jumps to itself' \
    '[ "$(wc -l <loop.s)" = 11 ] && [ "$(sed -n "1p;\$p" loop.s | tr "\n" " ")" = "loop: jne loop " ]'
expect 1 'found none in 1 innermost loops' python3 "$loop" loop.s none.so
expect 1 'assembly_loop.py LISTING LIBRARY' python3 "$loop" loop.s
exit $failed
