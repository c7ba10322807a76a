#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whole networks, end to end: `anole run` beside ONNX Runtime, OpenVINO and ncnn.

    race.py [--anole PROGRAM] [--engines anole,onnxruntime,openvino,ncnn] [--threads 1,2]
            [--rounds 7] [--seconds 1] [--locks FOLDER] [--json FILE] [--random] MODEL.onnx...

Every engine is a process of its own that has loaded the model and then waits; one at a time is
asked to run for about --seconds, in an order that is drawn anew each round.  A round's figure is
the median of its runs; the table has the median over rounds, and Anole's ratio to the fastest
other engine with the 95 % interval of the median of the rounds' ratios (binomial, so at least
six rounds).  --locks FOLDER: what `anole tune` found, as NAME.THREADS.lock.json.

Inputs are those of MODEL.npz, if it is beside the model: arrays by the inputs' names, or in_0, in_1,
... with the names in meta_json, as ../shared/models has them (in light_input.npz, where MODEL.npz has
outputs alone).  Else, or with --random, they are float32 and seeded, and open sizes are 1.  Needs
PyPI's onnxruntime; the others are left out if they are not there.  ncnn needs its model converted beforehand: MODEL.ncnn.param and MODEL.ncnn.bin beside it,
as PyPI's pnnx writes them.  Run it on a machine that does nothing else.
"""
import argparse
import json
import math
import os
import random
import statistics
import subprocess
import sys
import time


# ------------------------------------------------------------------- one engine

def given_inputs(model):
    """The arrays by the inputs' names, None where there are none; and their file."""
    path = os.path.splitext(model)[0] + ".npz"
    if not os.path.exists(path):
        return None, None
    import numpy as np
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    meta = json.loads(bytes(arrays["meta_json"]).decode()) if "meta_json" in arrays else None
    if meta and "in_0" not in arrays:
        path = os.path.join(os.path.dirname(path), "light_input.npz")
        if not os.path.exists(path):
            return None, None
        with np.load(path) as archive:
            arrays = {name: archive[name] for name in archive.files}
    if meta:
        arrays = {name: arrays[f"in_{i}"] for i, name in enumerate(meta["inputs"])}
    return arrays, path


def make_inputs(model, specs, use_random):
    """An array for each (name, shape)."""
    import numpy as np
    given, path = (None, None) if use_random else given_inputs(model)
    if given is not None:
        missing = [name for name, _ in specs if name not in given]
        if missing:
            raise RuntimeError(f"{path} has no input {missing[0]}; expected all, or try --random")
        return {name: given[name] for name, _ in specs}
    generator = np.random.default_rng(0)
    return {name: generator.standard_normal([d if isinstance(d, int) and d > 0 else 1 for d in shape],
                                            dtype=np.float32) for name, shape in specs}


def open_onnxruntime(model, threads, use_random):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    inputs = make_inputs(model, [(i.name, i.shape) for i in session.get_inputs()], use_random)
    return lambda: session.run(None, inputs)


def open_openvino(model, threads, use_random):
    import openvino
    core = openvino.Core()
    core.set_property("CPU", {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1,
                              "INFERENCE_PRECISION_HINT": "f32"})
    network = core.read_model(model)
    specs = [(p.any_name, [d.get_length() if d.is_static else 0 for d in p.partial_shape]) for p in network.inputs]
    values = make_inputs(model, specs, use_random)
    network.reshape({name: list(value.shape) for name, value in values.items()})
    request = core.compile_model(network, "CPU").create_infer_request()
    for i, value in enumerate(values.values()):
        request.set_input_tensor(i, openvino.Tensor(value))
    return request.infer


def open_ncnn(model, threads, use_random):
    import ncnn
    base = os.path.splitext(model)[0] + ".ncnn"
    net = ncnn.Net()
    net.opt.num_threads = threads
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
    net.opt.use_bf16_storage = False
    if net.load_param(base + ".param") or net.load_model(base + ".bin"):
        raise RuntimeError(base + ".param cannot be loaded")
    import onnx
    graph = onnx.load(model, load_external_data=False).graph
    constants = {w.name for w in graph.initializer}
    shapes = [(i.name, [d.dim_value for d in i.type.tensor_type.shape.dim])
              for i in graph.input if i.name not in constants]
    values = list(make_inputs(model, shapes, use_random).values())
    names, wanted = net.input_names(), net.output_names()

    def run():
        extractor = net.create_extractor()
        for name, value in zip(names, values):
            extractor.input(name, ncnn.Mat(value[0]))
        return [extractor.extract(name) for name in wanted]
    return run


ENGINES = {"onnxruntime": open_onnxruntime, "openvino": open_openvino, "ncnn": open_ncnn}


def serve(engine, model, threads, use_random):
    """Answers each line (seconds to run) with the seconds of each run."""
    run = ENGINES[engine](model, threads, use_random)
    for _ in range(3):
        run()
    print("ready", flush=True)
    for line in sys.stdin:
        end, times = time.perf_counter() + float(line), []
        run()
        while time.perf_counter() < end or len(times) < 5:
            start = time.perf_counter()
            run()
            times.append(time.perf_counter() - start)
        print(json.dumps(times), flush=True)


class Served:
    def __init__(self, engine, model, threads, use_random):
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--serve", engine, model, str(threads), str(int(use_random))],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if self.process.stdout.readline().strip() != "ready":
            words = self.process.stderr.read().strip().splitlines()
            raise RuntimeError(words[-1] if words else "it ended")

    def run(self, seconds):
        self.process.stdin.write(f"{seconds}\n")
        self.process.stdin.flush()
        return statistics.median(json.loads(self.process.stdout.readline()))

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Anole:
    """A process a round; its start is not timed."""

    def __init__(self, program, model, threads, lock, use_random):
        self.command = [program, "run", model, "--device", "cpu", "--threads", str(threads), "--json"]
        given = None if use_random else given_inputs(model)[1]
        if given:
            self.command += ["--input", given]
        if lock and os.path.exists(lock):
            self.command += ["--tuned", lock]
        self.estimate = self.ask(5)

    def ask(self, repeats):
        result = subprocess.run(self.command + ["--repeat", str(repeats)], text=True,
                                capture_output=True, check=False)
        if result.returncode:
            words = result.stderr.strip().splitlines()
            raise RuntimeError(words[-1] if words else f"exit code {result.returncode}")
        return json.loads(result.stdout)["latency_seconds"]["median"]

    def run(self, seconds):
        return self.ask(max(5, int(seconds / self.estimate)))

    def close(self):
        pass


# ----------------------------------------------------------------------- a race

def interval(values):
    """The median, and the order statistics that enclose it with at least 95 %."""
    ordered, n = sorted(values), len(values)
    below, k = 0.0, 0
    while k < n // 2 and 2 * (below + math.comb(n, k) / 2 ** n) <= 0.05:
        below += math.comb(n, k) / 2 ** n
        k += 1
    low = max(k - 1, 0)
    return statistics.median(values), ordered[low], ordered[n - 1 - low]


def open_engines(options, model, threads):
    opened = {}
    name = os.path.splitext(os.path.basename(model))[0]
    for engine in options.engines.split(","):
        try:
            if engine == "anole":
                lock = options.locks and os.path.join(options.locks, f"{name}.{threads}.lock.json")
                opened[engine] = Anole(options.anole, model, threads, lock, options.random)
            else:
                opened[engine] = Served(engine, model, threads, options.random)
        except (RuntimeError, OSError) as problem:
            print(f"{name}: {engine} is left out: {problem}", file=sys.stderr)
    return opened


def race(options, model, threads):
    opened = open_engines(options, model, threads)
    times = {engine: [] for engine in opened}
    order = random.Random(0)
    for _ in range(options.rounds):
        for engine in order.sample(list(opened), len(opened)):
            times[engine].append(opened[engine].run(options.seconds))
    for engine in opened.values():
        engine.close()
    result = {"model": os.path.splitext(os.path.basename(model))[0], "threads": threads,
              "seconds": {engine: dict(zip(("median", "low", "high"), interval(rounds)))
                          for engine, rounds in times.items()}}
    others = [engine for engine in times if engine != "anole"]
    if "anole" in times and others:
        best = min(others, key=lambda engine: statistics.median(times[engine]))
        ratios = [b / a for a, b in zip(times["anole"], times[best])]
        result["best_other"] = best
        result["speed_over_best"] = dict(zip(("median", "low", "high"), interval(ratios)))
    return result


def show(results, engines):
    print("| network | threads | " + " | ".join(e + ", ms" for e in engines) + " | speed over the best other |")
    print("| --- " * (len(engines) + 3) + "|")
    for r in results:
        cells = [f"{r['seconds'][e]['median'] * 1e3:.2f}" if e in r["seconds"] else "-" for e in engines]
        s = r.get("speed_over_best")
        cells.append(f"{s['median']:.2f} [{s['low']:.2f}, {s['high']:.2f}] ({r['best_other']})" if s else "-")
        print(f"| {r['model']} | {r['threads']} | " + " | ".join(cells) + " |")
    for threads in sorted({r["threads"] for r in results}):
        ratios = [r["speed_over_best"]["median"] for r in results
                  if r["threads"] == threads and "speed_over_best" in r]
        if ratios:
            print(f"geometric mean on {threads} thread(s): {statistics.geometric_mean(ratios):.3f}, "
                  f"least {min(ratios):.3f}")


def main():
    if len(sys.argv) == 6 and sys.argv[1] == "--serve":
        return serve(sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5] == "1")
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--anole", default="anole")
    parser.add_argument("--engines", default="anole,onnxruntime,openvino,ncnn")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--locks")
    parser.add_argument("--json")
    parser.add_argument("--random", action="store_true", help="do not look for MODEL.npz")
    parser.add_argument("models", nargs="+")
    options = parser.parse_args()
    results = [race(options, model, int(threads))
               for model in options.models for threads in options.threads.split(",")]
    show(results, options.engines.split(","))
    if options.json:
        with open(options.json, "w") as file:
            json.dump(results, file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
