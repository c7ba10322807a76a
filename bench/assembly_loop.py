#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What bench/assembly.sh looks at: the loop of a kernel that does most of its work.

  assembly_loop.py LISTING LIBRARY...

The libraries are what PoCL has linked of a config's kernels; x86-64 only.  Writes the loop to
LISTING, as llvm-mca reads it, and prints counts.  Among the innermost loops (a jump back, with no
other one inside) it is the one with the most multiply-adds to sums that are carried from one
iteration to the next: a register that nothing but multiply-adds writes.  The transforms of Winograd
kernels, which have many multiply-adds as well, carry none.
"""
import re
import subprocess
import sys

LINE = re.compile(r"^ *([0-9a-f]+):\t(.*?)(?: *#.*)?$")
TARGET = re.compile(r"^j\w+ +([0-9a-f]+) ")
FMA = re.compile(r"^vfn?m(add|sub)[0-9]+[ps]s ")
MEMORY = re.compile(r"(-?0x[0-9a-f]+)?\([^)]*\)")
NO_DATA = ("prefetch", "lea", "nop", "data16", "cs ")


def instructions(library):
    """Address and text of each."""
    listing = subprocess.run(["objdump", "-d", "--no-show-raw-insn", library], check=True,
                             capture_output=True, text=True).stdout
    matches = (LINE.match(line) for line in listing.splitlines())
    return [(int(m[1], 16), m[2].strip()) for m in matches if m]


def innermost_loops(code):
    """Lists of instructions, each from the target of a jump back to the jump."""
    index = {address: i for i, (address, _) in enumerate(code)}
    jumps = []
    for i, (address, text) in enumerate(code):
        target = TARGET.match(text)
        if target and int(target[1], 16) <= address and int(target[1], 16) in index:
            jumps.append((index[int(target[1], 16)], i))
    for begin, end in jumps:
        if not any(begin <= b and e <= end and (b, e) != (begin, end) for b, e in jumps):
            yield [text for _, text in code[begin:end + 1]]


def destination(text):
    return text.rsplit(",", 1)[-1]


def carried(loop):
    """How many multiply-adds go to sums of the loop's own, and those sums."""
    written = {destination(t) for t in loop if t.startswith("v") and not FMA.match(t)}
    sums = [destination(t) for t in loop if FMA.match(t) and destination(t) not in written]
    return len(sums), set(sums)


def stored(text):
    return "mov" in text.split()[0] and text.endswith(")")


def counts(loop):
    memory = [t for t in loop if MEMORY.search(t) and not t.startswith(NO_DATA)]
    once = [t for t in memory if "{1to" in t or t.startswith("vbroadcast")]
    stores = [t for t in memory if stored(t)]
    return {
        "instructions": len(loop),
        "FMAs": sum(bool(FMA.match(t)) for t in loop),
        "sums": len(carried(loop)[1]),
        "loads": len(memory) - len(stores),
        "of them broadcasts": len(once),
        "prefetches": sum(t.startswith("prefetch") for t in loop),
        "stores": len(stores),
        "to or from the stack": sum("(%rsp" in t or "(%rbp" in t for t in memory),
    }


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    loops = [loop for library in sys.argv[2:] for loop in innermost_loops(instructions(library))]
    best = max(loops, key=lambda loop: carried(loop)[0], default=[])
    if not best or not carried(best)[0]:
        sys.exit(f"assembly_loop.py: expected a loop with x86 multiply-adds into registers, found "
                 f"none in {len(loops)} innermost loops of {' '.join(sys.argv[2:])}; other CPUs' "
                 "instructions are not known here")
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        # The jump goes to the loop itself: llvm-mca knows no addresses.
        file.write("loop:\n" + "\n".join(best[:-1]) + f"\n{best[-1].split()[0]} loop\n")
    found = counts(best)
    print(", ".join(f"{n} {what}" for what, n in found.items()))
    print(f"bounds at two a cycle: {found['FMAs'] / 2:g} cycles an iteration by FMAs, "
          f"{found['loads'] / 2:g} by loads")


if __name__ == "__main__":
    main()
