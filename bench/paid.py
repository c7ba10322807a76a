#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Is what is timed what the network pays?  The rows of that table in bench/README.md.

    paid.py [--budget 60] [--cold 240] [--aa 0.3] [--rounds 7] [--threads N] [--device cpu]
            [--networks resnet18,mobilenet_v1,resnet50,squeezenet] [--layers 10] [--configs 100]
            [--rows aa,said,rank,whole,progress,cost,crowded,queues] [FOLDER]

    aa        share of A/A tests outside their 95 % interval (bench/aa.sh, cold, one and two threads)
    rank      ways of timing against the running network (anole-bench-cold): rank correlation, bias
              and seconds a trial, means over layers of the first network
    whole     networks end to end: tuned as before (--timing hot --no-in-place) over tuned as now
    said      time of a layer in the running network over what tuning said, layers over 2 % of it
    progress  the last estimate shown while tuning over the final table's
    cost      trials in the budget over those with hot timing, and without the time in place
    crowded   the first network tuned beside a compiler that takes one core: end to end over what
              was tuned in quiet, and whether the table says that it was disturbed
    queues    a kernel on own queues beside a busy core over the same alone, over 2 (bench/crowded.sh)

Times in seconds: --budget of one tuning, --cold of `rank` in all, --aa of a comparison; --rounds:
processes of each side of a race, which take turns, six at least for an interval.  As it is, all of
it takes some 25 minutes on two cores: two tunings a network, which serve several rows, and one
beside the compiler.  FOLDER (default paid) keeps lock files and output; a tuning that is there is
not made again.  Medians have their 95 % intervals, from order statistics.  A row that
fails is said to have, with the reason, and the others go on.  `aa` and `queues` build kernels for
each comparison: a network of a few layers takes a minute whatever --aa is.  Run it in the build
folder, after make bench, on a machine that does nothing else, with $ANOLE and $ANOLE_NETWORKS if
they are elsewhere.
"""
import argparse
import json
import math
import os
import re
import statistics
import subprocess
import sys

sys.dont_write_bytecode = True  # beside the sources

from aa_kernels import interval

HERE = os.path.dirname(os.path.abspath(__file__))
ROWS = "aa,rank,whole,said,progress,cost,crowded,queues".split(",")
AS_BEFORE = ["--timing", "hot", "--no-in-place"]
REPEAT = 20  # runs of a process

# A second or so of work for a compiler, again and again.
SOURCE = """
#define F(n) double f##n(double *a, const double *b, int k) { double s = 0; \\
    for (int i = 0; i < k; i++) for (int j = 0; j < n % 7 + 2; j++) { \\
        a[i] = a[i] * b[j] + b[i] / (n + 1.0); s += a[i] > s ? a[j] : b[i]; } return s; }
#define G(n) F(n##0) F(n##1) F(n##2) F(n##3) F(n##4) F(n##5) F(n##6) F(n##7) F(n##8) F(n##9)
#define H(n) G(n##0) G(n##1) G(n##2) G(n##3) G(n##4) G(n##5) G(n##6) G(n##7) G(n##8) G(n##9)
H(1) H(2) H(3)
"""


class Failed(Exception):
    """A row cannot be had; the others go on."""


def fail(command, why):
    raise Failed(f"{' '.join(command)}: {why}")


def call(command, **more):
    """Its output; ends the row if it fails."""
    found = subprocess.run(command, capture_output=True, text=True, check=False, **more)
    if found.returncode != 0:
        fail(command, f"exit code {found.returncode}: {found.stderr.strip()[-500:]}")
    return found


def shown(values, digits=3):
    middle, low, high = interval(values)
    return f"{middle:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def row(measure, found, goal):
    print(f"| {measure} | {found} | {goal} |", flush=True)


def note(text):
    print(f"paid.py: {text}", file=sys.stderr, flush=True)


# ---------------------------------------------------------------- tuning, running

class Bench:
    """What is asked for, and where it is kept."""

    def __init__(self, options):
        self.options = options
        self.anole = os.environ.get("ANOLE", "./anole")
        self.folder = os.path.abspath(options.folder)
        self.names = options.networks.split(",")

    def network(self, name):
        folder = os.environ.get("ANOLE_NETWORKS", os.path.join(HERE, "..", "networks"))
        return os.path.join(folder, name + ".json")

    def path(self, *words):
        return os.path.join(self.folder, ".".join(words))

    def device(self):
        threads = ["--threads", str(self.options.threads)] if self.options.threads else []
        return ["--device", self.options.device, *threads]

    def tune(self, name, how, extra):
        """From nothing, with driver's caches of its own, so that each pays for its builds."""
        lock = self.path(name, how, "lock.json")
        if os.path.exists(lock):
            return
        note(f"tuning {name}, {how}: {self.options.budget:g} s")
        new, history = lock + ".new", self.path(name, how, "history")
        for old in new, history:
            if os.path.exists(old):
                os.remove(old)
        caches = self.path(name, how, "cache")
        os.makedirs(caches, exist_ok=True)
        environment = dict(os.environ, POCL_CACHE_DIR=caches, XDG_CACHE_HOME=caches, TERM="dumb")
        found = call([self.anole, "tune", self.network(name), *self.device(), "--time",
                      f"{self.options.budget:g}s", "--history", history, "--output", new, *extra],
                     env=environment)
        for kind, text in ("out", found.stdout), ("err", found.stderr):
            with open(self.path(name, how, kind), "w", encoding="utf-8") as file:
                file.write(text)
        os.rename(new, lock)

    def tune_both(self):
        """Each network as now and as before, who is first in turn."""
        for i, name in enumerate(self.names):
            ways = [("now", ["--json"]), ("before", ["--json", *AS_BEFORE])]
            for how, extra in reversed(ways) if i % 2 else ways:
                self.tune(name, how, extra)

    def report(self, name, how):
        with open(self.path(name, how, "out"), encoding="utf-8") as file:
            return json.load(file)

    def run(self, name, how, *more):
        return json.loads(call(
            [self.anole, "run", self.network(name), *self.device(), "--tuned",
             self.path(name, how, "lock.json"), "--repeat", str(REPEAT), "--json", *more]).stdout)

    def race(self, name, first, second):
        """Times of both in turn, processes of their own, after one that fills caches."""
        times = {first: [], second: []}
        for how in times:
            self.run(name, how)
        for i in range(self.options.rounds):
            for how in (first, second) if i % 2 else (second, first):
                times[how].append(self.run(name, how)["latency_seconds"]["median"])
        return times[first], times[second]


# ------------------------------------------------------------------------ the rows

def row_aa(bench):
    note("A/A tests")
    folder = bench.path("aa")
    found = call([os.path.join(HERE, "aa.sh"), folder, str(bench.options.aa), "12"],
                 env=dict(os.environ, TIMINGS=os.environ.get("TIMINGS", "cold")))
    places = {}
    if "outside" not in found.stdout:
        fail(["aa.sh"], f"it says nothing of intervals: {found.stdout.strip()[-500:]}")
    for place, outside, total in re.findall(r"^# (.*): (\d+) of (\d+) outside", found.stdout, re.M):
        before = places.get(place, (0, 0))
        places[place] = before[0] + int(outside), before[1] + int(total)
    outside, total = (sum(counts) for counts in zip(*places.values()))
    each = ", ".join(f"{place} {100 * o / n:.1f} %" for place, (o, n) in places.items())
    # The share's own interval, as of a binomial.
    off = 196 * math.sqrt(outside / total * (1 - outside / total) / total)
    row("A/A, outside the 95 % interval",
        f"{100 * outside / total:.1f} ± {off:.1f} % of {total}: {each}", "5 %")


def row_rank(bench):
    note("ways of timing against the running network")
    options = bench.options
    command = ["bench/anole-bench-cold", *bench.device(), "--layers", str(options.layers),
               "--configs", str(options.configs), "--time", f"{options.cold:g}s",
               bench.network(bench.names[0])]
    found = call(command)
    with open(bench.path("rank", "txt"), "w", encoding="utf-8") as file:
        file.write(found.stdout)
    configs = sum(not line.startswith("#") for line in found.stdout.splitlines())
    words = r"rank correlation (\S+), bias (\S+), regret (\S+), (\S+) s a trial"
    for way in "ring", "stream", "hot":
        lines = re.findall(rf"^# [^\t]*\t([^\t]*)\t{way}: {words}", found.stdout, re.M)
        layers = [float(line[1]) for line in lines if not re.fullmatch(r"\d+ layers", line[0])]
        total = [line[1:] for line in lines if re.fullmatch(r"\d+ layers", line[0])]
        if not total:
            fail(command, "too few configs for a rank correlation; more --cold may help")
        rank, bias, regret, cost = total[0]
        row(f"rank correlation with the network, {way}, {configs} configs of {len(layers)} layers",
            f"{rank}, median {shown([r for r in layers if not math.isnan(r)])}; bias {bias}, "
            f"regret {regret}, {cost} s a trial", "0.95" if way == "ring" else "")


def row_whole(bench):
    bench.tune_both()
    for name in bench.names:
        note(f"{name} end to end, in turn")
        now, before = bench.race(name, "now", "before")
        row(f"{name} end to end, tuned as before over tuned as now",
            f"{shown([b / n for n, b in zip(now, before)])}: {1e3 * statistics.median(before):.3f} "
            f"and {1e3 * statistics.median(now):.3f} ms", "> 1")


def ratios_of(bench, name):
    """Of each layer over 2 %: the median over processes of its time over what tuning said of it
    alone; and over what it said of it in place, where it timed that."""
    in_place = {t["label"]: t["in_place_seconds"] for t in bench.report(name, "now")["tasks"]}
    alone, placed = {}, {}
    for _ in range(bench.options.rounds):
        steps = bench.run(name, "now", "--profile", "--trace",
                          bench.path(name, "trace.json"))["profile"]
        whole = sum(step["seconds"] for step in steps if step["seconds"])
        for step in steps:
            if not step["seconds"] or step["seconds"] < 0.02 * whole or not step["tuned_seconds"]:
                continue
            alone.setdefault(step["node"], []).append(step["seconds"] / step["tuned_seconds"])
            if in_place.get(step["label"]):
                placed.setdefault(step["node"], []).append(
                    step["seconds"] / in_place[step["label"]])
    # What is over 2 % only now and then is not.
    many = bench.options.rounds / 2
    return [[statistics.median(r) for r in found.values() if len(r) > many]
            for found in (alone, placed)]


def row_said(bench):
    bench.tune_both()
    for name in bench.names:
        note(f"{name}, layer by layer")
        for what, ratios in zip(("said", "said of it in place"), ratios_of(bench, name)):
            if not ratios:
                row(f"{name}, layers over 2 %: running over {what}", "none", "")
                continue
            inside = sum(0.9 <= r <= 1.1 for r in ratios)
            row(f"{name}, layers over 2 %: running over {what}",
                f"{shown(ratios)}, {min(ratios):.2f} to {max(ratios):.2f}; "
                f"{inside} of {len(ratios)} within", "0.9 to 1.1" if what == "said" else "")


def seconds_of(text):
    number, unit = text.split()
    return float(number) * {"s": 1, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}[unit]


def row_progress(bench):
    bench.tune_both()
    for how in "now", "before":
        found = {}
        for name in bench.names:
            with open(bench.path(name, how, "err"), encoding="utf-8") as file:
                shown_last = re.findall(r"; network .* -> ([0-9.]+ \w+) \(", file.read())
            seconds = bench.report(name, how)["seconds"]
            if shown_last and seconds:
                found[name] = seconds_of(shown_last[-1]) / seconds
        row(f"progress's last estimate over the final table's, tuned as {how}",
            ", ".join(f"{name} {ratio:.3f}" for name, ratio in found.items()), "0.97 to 1.03")


def row_cost(bench):
    bench.tune_both()
    trials, rates = {}, {}
    for name in bench.names:
        now, before = (bench.report(name, how) for how in ("now", "before"))
        trials[name] = now["trials"], before["trials"]
        rates[name] = [r["trials"] / (r["time"]["elapsed"] - r["time"]["in_place"])
                       for r in (now, before)]
    ratios = [n / b for n, b in trials.values()]
    each = ", ".join(f"{name} {n} / {b}" for name, (n, b) in trials.items())
    row(f"trials in {bench.options.budget:g} s, as now over hot",
        f"{math.prod(ratios) ** (1 / len(ratios)):.3f} ({each}); a second without the time in place "
        f"{math.prod(n / b for n, b in rates.values()) ** (1 / len(rates)):.3f}", "0.95")


def row_crowded(bench):
    name = bench.names[0]
    bench.tune(name, "now", ["--json"])
    source = bench.path("compiler", "c")
    with open(source, "w", encoding="utf-8") as file:
        file.write(SOURCE)
    loop = f"while :; do {os.environ.get('CC', 'cc')} -O3 -c -o /dev/null '{source}'; done"
    compiler = subprocess.Popen(["sh", "-c", loop], start_new_session=True)
    try:
        bench.tune(name, "crowded", [])
    finally:
        os.killpg(compiler.pid, 9)
        compiler.wait()
    with open(bench.path(name, "crowded", "out"), encoding="utf-8") as file:
        said = re.search(r"timings were disturbed: \d+ %", file.read())
    now, crowded = bench.race(name, "now", "crowded")
    row(f"{name} tuned beside a compiler over tuned in quiet, end to end in quiet",
        f"{shown([c / n for n, c in zip(now, crowded)])}; the table says: "
        f"{said.group() if said else 'nothing'}", "within 3 %, and that it was disturbed")


def row_queues(bench):
    note("a kernel beside a busy core")
    found = call([os.path.join(HERE, "crowded.sh")]).stdout.strip()
    row("a kernel on own queues beside a busy core", found, "1.5 times the ideal")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--budget", type=float, default=60)
    parser.add_argument("--cold", type=float, default=240)
    parser.add_argument("--aa", type=float, default=0.3)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--networks", default="resnet18,mobilenet_v1,resnet50,squeezenet")
    parser.add_argument("--layers", type=int, default=10)
    parser.add_argument("--configs", type=int, default=100)
    parser.add_argument("--rows", default=",".join(ROWS))
    parser.add_argument("folder", nargs="?", default="paid")
    options = parser.parse_args()
    rows = options.rows.split(",")
    if unknown := [r for r in rows if r not in ROWS]:
        parser.error(f"no row '{unknown[0]}'; there are {', '.join(ROWS)}")
    bench = Bench(options)
    os.makedirs(bench.folder, exist_ok=True)
    print("| measure | found | goal |\n| --- | --- | --- |", flush=True)
    failed = [name for name in rows if not try_row(name, bench)]
    if failed:
        sys.exit(f"paid.py: {len(failed)} of {len(rows)} rows failed: {', '.join(failed)}")


def try_row(name, bench):
    """Whether it could be had; if not, the table says so."""
    try:
        globals()["row_" + name](bench)
        return True
    except (Failed, OSError, KeyError, IndexError, ValueError, ArithmeticError) as problem:
        note(f"{name}: {problem!r}" if not isinstance(problem, Failed) else f"{name}: {problem}")
        row(name, "failed", "")
        return False


if __name__ == "__main__":
    main()
