# SPDX-License-Identifier: MIT
"""One table of two runs of anole-bench-kernels: hot and cold, ours and the rival's.

python3 bench/kernels_columns.py HOT.json COLD.json

Microseconds of a run, batched, and how many times as fast ours is, with its 95 % interval.  Both
sides are in the same state: each finds its own weights in the caches, or out of them.
"""
import json
import sys


def layers(path):
    with open(path, encoding="utf-8") as file:
        report = json.load(file)
    found = {}
    for network in report["networks"]:
        for layer in network["layers"]:
            found[network["name"], layer["label"]] = layer
    return report, found


def cells(layer):
    by_name = {i["name"]: i for i in layer["implementations"]}
    ours = 1e6 * by_name[layer["ours"]]["batched_seconds"]
    if layer["rival"] is None:
        return f"{ours:.1f}", "-", "-"
    theirs = 1e6 * by_name[layer["rival"]]["batched_seconds"]
    speed = layer["speed_batched"]
    return (f"{ours:.1f}", f"{theirs:.1f}",
            f"{speed['value']:.2f} [{speed['low']:.2f}, {speed['high']:.2f}]")


def main(hot_path, cold_path):
    (hot, first), (cold, second) = layers(hot_path), layers(cold_path)
    if (hot["timing"], cold["timing"]) != ("hot", "cold"):
        sys.exit(f"expected a hot and a cold run, found {hot['timing']} and {cold['timing']}")
    print(f"{hot['threads']} threads, against {hot['rival'] or 'nobody'}; us")
    head = ["network", "layer", "hot", "rival", "speed", "cold", "rival", "speed"]
    rows = [head] + [[*key, *cells(first[key]), *cells(second[key])]
                     for key in first if key in second]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
