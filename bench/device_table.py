#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What bench/device.sh asks for, and what it has measured, as tables.

  network TASKS LAYER                      a network of that layer alone
  table FOLDER [--explorers REFERENCE,CHALLENGER] [--within PERCENT]

--within PERCENT: a time counts as reached when it is missed by no more than that, for
single timings are noisy.  TASKS is what `anole tasks --json` prints.  Times of trials come from histories, which
have whole seconds: a time of few seconds is good to one of them.
"""
import argparse
import calendar
import glob
import json
import math
import os
import re
import statistics
import sys
import time


def make_network(tasks, layer):
    with open(tasks, encoding="utf-8") as file:
        found = [t for t in json.load(file)["tasks"] if t["first_layer"] == layer]
    if not found:
        sys.exit(f"device_table.py: {tasks}: no task whose first layer is {layer}")
    key = re.fullmatch(r"conv2d n(\d+) (\d+)x(\d+)x(\d+) k(\d+)x(\d+) s(\d+)x(\d+) p([\d,]+) "
                       r"d(\d+)x(\d+) g(\d+) o(\d+) f32( bias)?( relu6?)?", found[0]["task"])
    if not key:
        sys.exit(f"device_table.py: {layer}: expected a convolution without a residual, found "
                 f"{found[0]['task']}")
    n = [int(v) for v in key.groups()[:8]]
    return {"name": layer, "layers": [
        {"name": "data", "kind": "input", "shape": n[:4]},
        {"name": layer, "kind": "conv2d", "channels": int(key[13]), "kernel": n[4:6],
         "stride": n[6:8], "padding": [int(v) for v in key[9].split(",")],
         "dilation": [int(key[10]), int(key[11])], "groups": int(key[12]), "bias": bool(key[14]),
         "activation": (key[15] or "none").strip()}]}


class Run:
    """One history: the trials in order, as (seconds since the start, time, config)."""

    def __init__(self, path):
        self.path = path
        with open(path + ".began", encoding="utf-8") as file:
            self.began = float(file.read())
        with open(path + ".ended", encoding="utf-8") as file:
            self.wall = float(file.read()) - self.began
        self.trials = []
        with open(path + ".history", encoding="utf-8") as file:
            for line in file:
                self.take(json.loads(line))

    def take(self, line):
        if "knobs" not in line or line["outcome"] in ("begun", "withdrawn"):
            return
        stamp = calendar.timegm(time.strptime(line["time"], "%Y-%m-%dT%H:%M:%SZ"))
        good = line["outcome"] == "ok" and not line["abandoned"]
        # The stamp is cut to whole seconds: on average half a second early.
        after = min(max(stamp + 0.5 - self.began, 0.1), self.wall)
        self.trials.append((after, line["seconds"] if good else math.inf, line["knobs"]))

    def best(self, without=None):
        return min((t[1] for t in self.trials if t[2] != without), default=math.inf)

    def reach(self, seconds, without=None):
        """Trials and wall seconds until a time was measured; infinite if never."""
        for i, (after, measured, knobs) in enumerate(self.trials, 1):
            if measured <= seconds and knobs != without:
                return i, after
        return math.inf, math.inf


def words(values, form):
    """The median, and the range."""
    def one(value):
        return form % value if math.isfinite(value) else "never"
    return f"{one(statistics.median(values))} ({one(min(values))} to {one(max(values))})"


def pairs(folder, layer, reference, challenger):
    """Runs of both with the same seed."""
    for path in sorted(glob.glob(f"{folder}/{layer}-{reference}-*.lock.json")):
        path = path[:-len(".lock.json")]
        other = f"{folder}/{layer}-{challenger}-{path.rsplit('-', 1)[1]}"
        if os.path.exists(other + ".lock.json"):
            yield Run(path), Run(other)


def print_reach(runs, names, within, keep_default):
    """One line a layer, and the median over all of what the reference takes longer."""
    reference, challenger = names
    print(f"| layer | pairs | {reference}: trials to its final result | {challenger}: to the same "
          f"| {reference}: s to it | {challenger}: s to it | {reference}: s in all "
          f"| wall time in all over {challenger}'s | to its result over {challenger}'s |")
    print("| --- " * 9 + "|")
    totals, exact = [], []
    for layer, of_layer in runs.items():
        columns = [[] for _ in range(7)]
        for a, b in of_layer:
            without = None if keep_default else a.trials[0][2]
            goal = a.best(without) * (1 + within / 100)
            own, its = a.reach(goal, without), b.reach(goal, without)
            row = (own[0], its[0], own[1], its[1], a.wall, a.wall / its[1], own[1] / its[1])
            for column, value in zip(columns, row):
                column.append(value)
        totals += columns[5]
        exact += columns[6]
        forms = ("%.0f", "%.0f", "%.0f", "%.0f", "%.0f", "%.2f", "%.2f")
        print(f"| {layer} | {len(of_layer)} | " +
              " | ".join(words(c, f) for c, f in zip(columns, forms)) + " |")
    print(f"\nWall time over {challenger}'s, all pairs, median and range: "
          f"in all {words(totals, '%.2f')}, to its result {words(exact, '%.2f')}; 0: never reached")


def print_race(folder, runs, names):
    reference, challenger = names
    print(f"\nThe kernels they ended with, timed in turn ({reference}'s time over {challenger}'s, "
          "pairs of the same seed; above 1 the challenger's is faster):\n")
    print(f"| layer | {reference}, us | {challenger}, us | ratio |")
    print("| --- | --- | --- | --- |")
    everything = []
    for layer, of_layer in runs.items():
        path = f"{folder}/{layer}.race"
        if not os.path.exists(path):
            print(f"| {layer} | not timed | | |")
            continue
        with open(path, encoding="utf-8") as file:
            lines = [line.rstrip("\n").split("\t") for line in file]
        samples = {os.path.basename(l[0])[:-len(".lock.json")]: [float(v) for v in l[1:]]
                   for l in lines}
        both = [[samples[os.path.basename(run.path)] for run in pair] for pair in of_layer]
        ratios = [statistics.median(x / y for x, y in zip(a, b)) for a, b in both]
        everything += ratios
        times = [[1e6 * statistics.median(p[i]) for p in both] for i in (0, 1)]
        print(f"| {layer} | {words(times[0], '%.1f')} | {words(times[1], '%.1f')} | "
              f"{words(ratios, '%.3f')} |")
    if everything:
        mean = math.exp(statistics.fmean(math.log(r) for r in everything))
        print(f"\nGeometric mean of the ratios: {mean:.3f}")


def print_spent(runs):
    """Where the wall time of a run went, as `anole tune` says it."""
    print()
    for layer, of_layer in runs.items():
        for run in of_layer[0]:
            with open(run.path + ".txt", encoding="utf-8") as file:
                said = [line.strip() for line in file if " trials in " in line]
            print(f"{os.path.basename(run.path)}: {said[0] if said else 'no summary'}")


def print_table(folder, names, within):
    layers = sorted({os.path.basename(p).rsplit("-", 2)[0]
                     for p in glob.glob(f"{folder}/*-{names[0]}-*.lock.json")})
    runs = {layer: list(pairs(folder, layer, *names)) for layer in layers}
    runs = {layer: of_layer for layer, of_layer in runs.items() if of_layer}
    if not runs:
        sys.exit(f"device_table.py: {folder}: no pair of runs of {names[0]} and {names[1]}")
    print("Medians (and ranges) over pairs of runs with the same seed; a result is reached by "
          f"what is at most {within:g} % slower.\n")
    print_reach(runs, names, within, True)
    print("\nThe same but for the default config, with which both begin:\n")
    print_reach(runs, names, within, False)
    print_race(folder, runs, names)
    print_spent(runs)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    network = verbs.add_parser("network")
    network.add_argument("tasks")
    network.add_argument("layer")
    table = verbs.add_parser("table")
    table.add_argument("folder")
    table.add_argument("--explorers", default="autotvm,rl")
    table.add_argument("--within", type=float, default=0.0)
    arguments = parser.parse_args()
    if arguments.verb == "network":
        print(json.dumps(make_network(arguments.tasks, arguments.layer)))
    else:
        names = arguments.explorers.split(",")
        if len(names) != 2:
            parser.error(f"--explorers: expected two, found {arguments.explorers}")
        print_table(arguments.folder, names, arguments.within)


if __name__ == "__main__":
    main()
