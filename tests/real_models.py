#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs real models with known outputs by Anole, untuned and tuned, on several backends and drivers, and at other sizes as well.

    real_models.py ../shared/models
    real_models.py --place cpu --place gpu --tune 20 --table models.md ../shared/models
    real_models.py --place gpu-oclgrind --only silero_vad_16k_seq ../shared/models

A folder has NAME.onnx with inputs in_0, in_1, ... and outputs out_0, ... in NAME.npz (inputs may be in light_input.npz).  A
place is a backend, and behind a dash a driver: PoCL (none), rusticl or oclgrind; that of `gpu` takes any device as a GPU.
Oclgrind's complaints are errors, too.  --tune S tunes each model for S seconds and runs it again with what was found; other
sizes then take from the same lock file what fits them.

At other sizes, those of SIZES below, ONNX Runtime says what is right (by compare_onnxruntime.py, which needs onnx, onnxruntime
and numpy); --no-sizes leaves that out, and then numpy is all that is needed.

A line for each run goes to stdout, and --table writes a table in Markdown.  --random N runs each tuned model N times more, with
random kernels: in its lock file, those of every task give way to ones of its history that were right, other than the default where
there are others.  Errors are parts of the tolerance, which is 2e-4 of the
largest output.  Exits 1 if something was wrong, refused, or not done after --limit."""
import argparse
import json
import os
import random
import subprocess
import sys
import tempfile

import numpy as np

TOLERANCE = 2e-4
HERE = os.path.dirname(os.path.abspath(__file__))
VENDORS = "/etc/OpenCL/vendors"
DRIVERS = {"": "pocl", "rusticl": "rusticl", "oclgrind": "oclgrind"}

# Batches, images and lengths that a model's graph allows.  Those of an image are odd where it can be.
LIGHT = {name: ["{}=2x3x224x224"] for name in
         ("light_bvlc_alexnet", "light_densenet121", "light_resnet50", "light_shufflenet", "light_vgg19", "light_zfnet512")}
SIZES = {
    "aecmos_b": ["input=1x3x37x160", "input=2x3x50x160,h0=4x2x64"],
    "basic_pitch": ["serving_default_input_2:0=2x43844x1"],
    "dnsmos_p808": ["input_1=2x900x120", "input_1=3x900x120"],
    "ppocr2_cls": ["x=2x3x48x192", "x=3x3x37x101"],
    "ppocr6t_det": ["x=2x3x64x96", "x=1x3x96x160", "x=1x3x95x131"],
    "ppocr6t_rec_q": ["x=2x3x48x96", "x=3x3x48x101", "x=1x3x48x333"],
    "silero_vad_16k_seq": ["input=1x576", "input=3x576"],
    "squeezenet_rnd": ["data_0=2x3x224x224", "data_0=3x3x161x227"],
}


def parse():
    parser = argparse.ArgumentParser(description="Run real models with known outputs by Anole.")
    parser.add_argument("models", metavar="FOLDER")
    parser.add_argument("--anole", default=os.environ.get("ANOLE", "anole"), help="the program (default: $ANOLE, else anole)")
    parser.add_argument("--place", action="append", default=[], metavar="BACKEND[-DRIVER]",
                        help="cpu, gpu, and either with -rusticl or -oclgrind; may be repeated (default: cpu)")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="a model; may be repeated (default: all)")
    parser.add_argument("--tune", type=int, metavar="SECONDS", help="tune each for so long, and run it with what was found")
    parser.add_argument("--trials", type=int, metavar="N", help="or for so many trials")
    parser.add_argument("--random", type=int, default=0, metavar="N", help="then run it N times with random kernels that were right")
    parser.add_argument("--no-sizes", action="store_true", help="only the sizes of the known outputs")
    parser.add_argument("--limit", type=float, default=1800, metavar="SECONDS", help="the most that a run may take (default: 1800)")
    parser.add_argument("--table", metavar="FILE", help="write a table in Markdown")
    return parser.parse_args()


def environment_of(place, folder):
    """Of a backend's driver, and of no other."""
    backend, _, driver = place.partition("-")
    environment = dict(os.environ)
    if driver == "oclgrind":
        library = os.environ.get("ANOLE_OCLGRIND", "/usr/lib/oclgrind/liboclgrind-rt-icd.so")
        environment.update(OCL_ICD_VENDORS=library, OCLGRIND_LOG=os.path.join(folder, "oclgrind.log"), OCLGRIND_DATA_RACES="1",
                           OCLGRIND_UNINITIALIZED="1", OCLGRIND_MAX_ERRORS="1000", OCLGRIND_BUILD_OPTIONS="-cl-opt-disable")
    elif not environment.get("OCL_ICD_VENDORS"):
        environment["OCL_ICD_VENDORS"] = os.path.join(VENDORS, DRIVERS[driver] + ".icd")
    if driver == "rusticl":
        environment["RUSTICL_ENABLE"] = "llvmpipe"
    if backend == "gpu":
        environment["ANOLE_GPU_ANY_DEVICE"] = "1"
    return environment


class Wrong(Exception):
    """What went wrong, in a line."""


def call(command, arguments, environment, folder, codes=(0,)):
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", cwd=folder, env=environment, timeout=arguments.limit)
    except subprocess.TimeoutExpired:
        raise Wrong(f"{command[1]}: not done after {arguments.limit:g} s") from None
    if done.returncode not in codes:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise Wrong(f"{os.path.basename(command[1])}: exit code {done.returncode}: {lines[-1] if lines else 'nothing said'}")
    return done


class Model:
    """A model, its data, and what came of it at one place."""

    def __init__(self, arguments, name, place, folder):
        self.arguments, self.name, self.place, self.folder = arguments, name, place, folder
        self.backend = place.partition("-")[0]
        self.path = os.path.join(os.path.abspath(arguments.models), name + ".onnx")
        self.data = self.path[:-5] + ".npz"
        with np.load(self.data) as archive:
            self.meta = json.loads(bytes(archive["meta_json"]).decode())
            self.input = self.data
            if "in_0" not in archive:
                self.input = os.path.join(os.path.dirname(self.path), "light_input.npz")
            with np.load(self.input) as inputs:
                self.shapes = {n: inputs[f"in_{i}"].shape for i, n in enumerate(self.meta["inputs"])}
        self.environment = environment_of(place, folder)
        self.untuned = self.tuned = self.matched = None
        self.sizes, self.wrong, self.skipped = [], [], []

    def run(self, lock=None):
        """The worst error, as a part of the tolerance, and how many steps were tuned."""
        command = [self.arguments.anole, "run", self.path, "--device", self.backend, "--input", self.input, "--check", self.data,
                   "--repeat", "1", "--json"] + (["--tuned", lock] if lock else [])
        done = call(command, self.arguments, self.environment, self.folder, (0, 5))
        said = json.loads(done.stdout)
        if len(said["checks"]) != len(self.meta["outputs"]):
            raise Wrong(f"{len(said['checks'])} of {len(self.meta['outputs'])} outputs were compared")
        return max(check["error"] for check in said["checks"]) / TOLERANCE, said["steps"]["tuned"]

    def tune(self):
        lock = os.path.join(self.folder, "model.lock.json")
        command = [self.arguments.anole, "tune", self.path, "--device", self.backend, "--history", os.path.join(self.folder, "model.history"),
                   "--output", lock]
        for name, shape in self.shapes.items():
            command += ["--shape", f"{name}={'x'.join(map(str, shape))}"]
        command += ["--time", f"{self.arguments.tune}s"] if self.arguments.tune else []
        command += ["--trials", str(self.arguments.trials)] if self.arguments.trials else []
        call(command, self.arguments, self.environment, self.folder)
        return lock

    def randomize(self, lock, seed):
        """Another lock file, with random kernels that were right: its path, of how many tasks they are not the default, and of how many
        the lock file's own are not."""
        trials = {}
        with open(os.path.join(self.folder, "model.history"), encoding="utf-8") as history:
            for line in history:
                trial = json.loads(line)
                if "task" in trial:
                    trials.setdefault(trial["task"], []).append(trial)
        with open(lock, encoding="utf-8") as file:
            content = json.load(file)
        drawn, others, found = random.Random(seed), 0, 0
        for task in content["devices"][0]["tasks"]:
            first = trials[task["task"]][0]["knobs"]  # The default is measured first.
            found += task["knobs"] != first
            right = [trial["knobs"] for trial in trials[task["task"]] if trial["outcome"] == "ok" and trial["knobs"] != first]
            if right:
                task["knobs"] = drawn.choice(right)
                others += 1
        path = os.path.join(self.folder, "random.lock.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(content, file)
        return path, others, found, len(content["devices"][0]["tasks"])

    def run_random(self, lock, seed):
        path, others, found, tasks = self.randomize(lock, seed)
        error, matched = self.run(path)
        return error, f"random kernels {seed}, {matched} steps, not the default for {others} of {tasks} tasks (tuned: {found})"

    def compare(self, sizes, lock=None):
        """At other sizes, against ONNX Runtime: the error as a part of the tolerance."""
        command = [sys.executable, os.path.join(HERE, "compare_onnxruntime.py"), "--anole", self.arguments.anole, "--device", self.backend,
                   "--sizes", sizes, "--limit", str(self.arguments.limit), self.path] + (["--tuned", lock] if lock else [])
        line = call(command, self.arguments, self.environment, self.folder, (0, 1, 3)).stdout.strip()
        if line.startswith("skipped"):
            self.skipped.append(sizes)
            return None
        if not line.startswith("right"):
            raise Wrong(f"at {sizes}: {line}")
        return float(line.split(": ")[-1].split(",")[0]) / TOLERANCE

    def attempt(self, act, *operands):
        try:
            return act(*operands)
        except Wrong as wrong:
            self.wrong.append(str(wrong))
            print(f"FAIL: {self.name} {self.place}: {wrong}", flush=True)
            return None

    def check(self, what, error):
        if error is not None:
            print(f"{'right' if error <= 1 else 'FAIL:'} {self.name} {self.place} {what}: {error:.3g} of the tolerance", flush=True)
            if error > 1:
                self.wrong.append(f"{what}: {error:.3g} times the tolerance")
        return error

    def all(self):
        found = self.attempt(self.run)
        self.untuned = self.check("untuned", found and found[0])
        lock = self.attempt(self.tune) if self.arguments.tune or self.arguments.trials else None
        if lock:
            found = self.attempt(self.run, lock)
            self.tuned, self.matched = found or (None, None)
            self.check(f"tuned, {self.matched} steps", self.tuned)
            for seed in range(self.arguments.random):
                found = self.attempt(self.run_random, lock, seed)
                self.check(found and found[1], found and found[0])
        if not self.arguments.no_sizes:
            for sizes in SIZES.get(self.name, []) + LIGHT.get(self.name, []):
                sizes = sizes.format(self.meta["inputs"][0])
                error = self.check(sizes, self.attempt(self.compare, sizes, lock))
                if error is not None:
                    self.sizes.append((sizes, error))
        log = os.path.join(self.folder, "oclgrind.log")
        if os.path.exists(log) and os.path.getsize(log):
            with open(log, encoding="utf-8", errors="replace") as file:
                self.wrong.append("Oclgrind: " + file.readline().strip())
            print(f"FAIL: {self.name} {self.place}: {self.wrong[-1]}", flush=True)

    def row(self):
        def number(error):
            return "" if error is None else f"{error:.2g}"
        sizes = ", ".join(shape.split("=", 1)[1].split(",")[0] for shape, _ in self.sizes)
        worst = max((error for _, error in self.sizes), default=None)
        cells = [self.name, self.place, number(self.untuned), number(self.tuned), "" if self.matched is None else str(self.matched), sizes,
                 number(worst), "; ".join(self.wrong) or "right"]
        return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"


HEAD = """| model | backend, driver | untuned | tuned | tuned steps | other sizes | worst of them | outcome |
| --- | --- | --- | --- | --- | --- | --- | --- |"""


def main():
    arguments = parse()
    arguments.anole = os.path.abspath(arguments.anole) if os.sep in arguments.anole else arguments.anole
    names = sorted(name[:-5] for name in os.listdir(arguments.models) if name.endswith(".onnx"))
    rows, code = [], 0
    for place in arguments.place or ["cpu"]:
        for name in arguments.only or names:
            with tempfile.TemporaryDirectory() as folder:
                model = Model(arguments, name, place, folder)
                model.all()
            rows.append(model.row())
            code |= bool(model.wrong)
            if arguments.table:
                with open(arguments.table, "w", encoding="utf-8") as file:
                    print(HEAD, *rows, sep="\n", file=file)
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
