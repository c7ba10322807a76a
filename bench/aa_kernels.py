# SPDX-License-Identifier: MIT
"""How often anole-bench-kernels --twice finds a kernel to differ from itself.

python3 bench/aa_kernels.py FILE.json...

The interval of the median of paired ratios, from order statistics, as src/base/statistics.c has
it, over the turns of the two, which are made in the same rounds.
"""
import json
import math
import sys


def interval(values):
    """Median and its distribution-free 95 % interval; the extremes for n < 6."""
    ordered = sorted(values)
    n = len(ordered)
    middle = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
    if n < 6:
        return middle, ordered[0], ordered[-1]
    below, k = 0.0, -1
    while True:  # the largest k with P(B <= k) <= 0.025, B binomial(n, 1/2)
        below += math.comb(n, k + 1) / 2.0**n
        if below > 0.025:
            break
        k += 1
    return middle, ordered[k + 1], ordered[n - k - 2]


def main(paths):
    for path in paths:
        with open(path, encoding="utf-8") as file:
            report = json.load(file)
        for column in "batched", "single":
            outside = total = 0
            for network in report["networks"]:
                for layer in network["layers"]:
                    found = {i["name"]: i for i in layer["implementations"]}
                    again = found.get("again")
                    first = found.get("tuned") or found.get("default")
                    if not again or not first:
                        continue
                    pairs = zip(first[column + "_samples"], again[column + "_samples"])
                    ratio, low, high = interval([a / b for a, b in pairs])
                    total += 1
                    if low > 1 or high < 1:
                        outside += 1
                        print(f"{network['name']}\t{layer['label']}\tbench {column}\t"
                              f"{report['timing']}\t{ratio:.4f}\t{low:.4f}\t{high:.4f}\toutside")
            if total:
                print(f"# bench, {column}: {outside} of {total} outside the 95 % interval, "
                      f"{100 * outside / total:.1f} %")


if __name__ == "__main__":
    main(sys.argv[1:])
