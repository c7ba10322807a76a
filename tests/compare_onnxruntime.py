#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs ONNX models by ONNX Runtime and by Anole on the same random inputs, and says whether they agree.

    compare_onnxruntime.py model.onnx
    compare_onnxruntime.py --device cpu --device gpu --table tried.md models/
    compare_onnxruntime.py --batch 1 --batch 4 model.onnx
    compare_onnxruntime.py --sizes x=1x3x320x320 --sizes x=2x3x480x640 det.onnx
    compare_onnxruntime.py --value ids=0:1000 bert.onnx

Needs the Python packages onnx, onnxruntime and numpy.  A folder stands for all models in it, and below.  Each --batch and
each --sizes is a run of its own, on each --device; sizes that the file fixes may be others, where the graph allows it.  The
device `reference` is no device: tests/onnx_reference of the build's folder computes the model by the operators' references,
which builds no kernels, and so tells faults of the reader from those of kernels in a second.

A line a run goes to stdout: `right` with the worst error as a part of the largest output, `wrong`, `refused` with the reason,
or `failed` if Anole crashed or took longer than --limit.  --table writes these as a table in Markdown, with the share of the
time outside convolutions and products, and how many steps ran on the host.  Exits 1 if something was wrong or failed, 3 if
something was refused."""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime as ort
from onnx import helper


# What convolutions and products are: the operators that kernels are tuned for.
PRODUCTS = {"conv2d", "depthwise_conv2d", "conv_transpose2d", "dense", "matmul"}


def parse():
    parser = argparse.ArgumentParser(description="Compare Anole with ONNX Runtime on ONNX models.")
    parser.add_argument("models", nargs="+", metavar="MODEL.onnx|FOLDER")
    parser.add_argument("--anole", default=os.environ.get("ANOLE", "anole"), help="the program (default: $ANOLE, else anole)")
    parser.add_argument("--reference", default=os.environ.get("ANOLE_REFERENCE", "tests/onnx_reference"), metavar="PROGRAM",
                        help="what the device `reference` is (default: $ANOLE_REFERENCE, else tests/onnx_reference)")
    parser.add_argument("--device", action="append", default=[], metavar="D",
                        help="the device that Anole runs on, or `reference`; may be repeated (default: cpu)")
    parser.add_argument("--tuned", metavar="LOCK", help="take kernels from this lock file")
    parser.add_argument("--batch", action="append", type=int, default=[], metavar="N", help="the first size of each input; may be repeated")
    parser.add_argument("--sizes", action="append", default=[], metavar="NAME=SIZES[,NAME=SIZES...]",
                        help="shapes of inputs, such as x=1x3x320x320; may be repeated")
    parser.add_argument("--open", type=int, default=32, metavar="N", help="what open sizes are, but for the first (default: 32)")
    parser.add_argument("--value", action="append", default=[], metavar="NAME=LOW:HIGH",
                        help="the range of an input (default: reals from a normal distribution, 0 and 1 for whole numbers)")
    parser.add_argument("--tolerance", type=float, default=2e-4, metavar="T", help="|y - ref| up to T max|ref| (default: 2e-4)")
    parser.add_argument("--limit", type=float, default=1800, metavar="SECONDS", help="the most that a run may take (default: 1800)")
    parser.add_argument("--keep", metavar="DIR", help="keep inputs and references there, as NAME.npz")
    parser.add_argument("--table", metavar="FILE", help="write a table in Markdown")
    return parser.parse_args()


def models_of(paths):
    for path in paths:
        if not os.path.isdir(path):
            yield path
            continue
        for folder, folders, names in os.walk(path):
            folders.sort()
            yield from (os.path.join(folder, name) for name in sorted(names) if name.endswith(".onnx"))


def assignments(words):
    return dict(word.split("=", 1) for text in words for word in text.split(","))


def shapes_of(model, batch, sizes, open_size):
    """Each input's shape; those that are initializers as well have one already."""
    constants = {t.name for t in model.graph.initializer}
    shapes = {}
    for info in model.graph.input:
        if info.name in constants:
            continue
        dims = [d.dim_value if d.HasField("dim_value") else 0 for d in info.type.tensor_type.shape.dim]
        for i, d in enumerate(dims):
            if i == 0 and batch and d >= 0 and len(dims) > 1:
                dims[i] = batch
            elif d <= 0:
                dims[i] = 1 if i == 0 else open_size
        shapes[info.name] = [int(n) for n in sizes[info.name].split("x") if n] if info.name in sizes else dims
    return shapes


def free(model):
    """Sizes of inputs and results are found out, and not what the file says."""
    for info in list(model.graph.input) + list(model.graph.output):
        if info.type.tensor_type.HasField("shape"):
            for i, d in enumerate(info.type.tensor_type.shape.dim):
                d.ClearField("dim_value")
                d.dim_param = f"{info.name}_{i}"
    del model.graph.value_info[:]
    return model


def inputs_of(model, shapes, ranges):
    rng = np.random.default_rng(0)
    inputs = {}
    for info in model.graph.input:
        if info.name not in shapes:
            continue
        dtype = helper.tensor_dtype_to_np_dtype(info.type.tensor_type.elem_type)
        low, high = (float(x) for x in ranges[info.name].split(":")) if info.name in ranges else (None, None)
        shape = shapes[info.name]
        if dtype == np.bool_:
            x = rng.random(shape) < 0.5
        elif np.issubdtype(dtype, np.integer):
            x = rng.integers(int(low or 0), int(high if high is not None else 2), shape)
        else:
            x = rng.standard_normal(shape) if low is None else rng.uniform(low, high, shape)
        inputs[info.name] = np.asarray(x).astype(dtype)
    return inputs


def references(path, model, shapes, inputs):
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    said = {i.name: [d.dim_value for d in i.type.tensor_type.shape.dim] for i in model.graph.input}
    other = any(d and d != n for name, dims in shapes.items() for d, n in zip(said[name], dims))
    session = ort.InferenceSession(free(model).SerializeToString() if other else path, options, providers=["CPUExecutionProvider"])
    return dict(zip([o.name for o in session.get_outputs()], session.run(None, inputs)))


class Tried:
    """A run, and what came of it."""

    def __init__(self, path, model, shapes, device):
        self.name, self.device = os.path.basename(path), device
        self.opset = next((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), 0)
        self.producer = " ".join(word for word in (model.producer_name, model.producer_version) if word)
        self.sizes = " ".join(f"{name}={'x'.join(map(str, dims)) or 'scalar'}" for name, dims in shapes.items())
        self.verdict, self.why, self.error, self.outside, self.host = "skipped", "", None, None, None
        self.note = ""

    def line(self):
        return f"{self.verdict} {self.name} {self.device} {self.sizes}: " + (self.why or f"{self.error:.2g}{self.note}")

    def row(self):
        cells = [self.name, self.producer, self.opset, self.sizes, self.device, self.verdict + (": " + self.why if self.why else self.note),
                 "" if self.error is None else f"{self.error:.1e}", "" if self.outside is None else f"{100 * self.outside:.0f} %",
                 "" if self.host is None else self.host]
        return "| " + " | ".join(str(cell).replace("|", "/") for cell in cells) + " |"


HEAD = """| model | exporter | opset | sizes | device | result | worst error, of max abs ref | time outside products | steps on the host |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |"""


def command_of(arguments, path, device, data):
    if device == "reference":
        return [os.path.abspath(arguments.reference), "--tolerance", str(arguments.tolerance), path, data]
    command = [arguments.anole, "run", path, "--device", device, "--input", data, "--check", data, "--repeat", "1",
               "--tolerance", str(arguments.tolerance), "--profile", "--json"]
    return command + (["--tuned", os.path.abspath(arguments.tuned)] if arguments.tuned else [])


def read_answer(tried, done):
    tried.verdict = {0: "right", 5: "wrong"}.get(done.returncode, "refused" if 0 < done.returncode < 128 else "failed")
    if done.returncode not in (0, 5):
        lines = done.stderr.strip().splitlines()
        tried.why = lines[-1] if lines else f"exit code {done.returncode}"
    elif tried.device == "reference":
        tried.error = max((float(line.split()[-1]) for line in done.stdout.splitlines()), default=0.0)
    else:
        said = json.loads(done.stdout)
        tried.error = max((check["error"] for check in said["checks"]), default=0.0)
        tried.host = said["steps"]["host"]
        total = sum(step["seconds"] for step in said["profile"])
        inside = sum(step["seconds"] for step in said["profile"] if step["operator"] in PRODUCTS)
        tried.outside = 1 - inside / total if total else 0.0


def is_one_number(y):
    """As from weights that are all 0, or that leave nothing of the input."""
    return y.size > 1 and np.ptp(y.astype(np.float64)) <= 1e-6 * np.abs(y.astype(np.float64)).max()


def run(arguments, path, batch, sizes, devices):
    """Yields what was tried, on each device."""
    model = onnx.load(path, load_external_data=False)
    shapes = shapes_of(model, batch, sizes, arguments.open)
    try:
        inputs = inputs_of(model, shapes, assignments(arguments.value))
        outputs = references(path, model, shapes, inputs)
    except Exception as error:
        tried = Tried(path, model, shapes, "onnxruntime")
        tried.why = "ONNX Runtime: " + str(error).splitlines()[0]
        yield tried
        return
    with tempfile.TemporaryDirectory() as folder:
        data = os.path.join(os.path.abspath(arguments.keep or folder), os.path.basename(path)[:-5] + ".npz")
        np.savez(data, **inputs, **{name: y for name, y in outputs.items() if name not in inputs})
        for device in devices:
            tried = Tried(path, model, shapes, device)
            if all(is_one_number(y) for y in outputs.values()):
                tried.note = ", but all elements of an output are alike: that tests little"
            try:
                command = command_of(arguments, os.path.abspath(path), device, data)
                read_answer(tried, subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=arguments.limit))
            except subprocess.TimeoutExpired:
                tried.verdict, tried.why = "failed", f"not done after {arguments.limit:g} s"
            yield tried


def main():
    arguments = parse()
    codes, rows = {0}, []
    if os.sep in arguments.anole:
        arguments.anole = os.path.abspath(arguments.anole)
    for path in models_of(arguments.models):
        for batch in arguments.batch or [None]:
            for sizes in arguments.sizes or [""]:
                for tried in run(arguments, path, batch, assignments([sizes]) if sizes else {}, arguments.device or ["cpu"]):
                    print(tried.line(), flush=True)
                    rows.append(tried.row())
                    codes.add({"refused": 3, "wrong": 1, "failed": 1}.get(tried.verdict, 0))
    if arguments.table:
        with open(arguments.table, "w", encoding="utf-8") as file:
            print(HEAD, *rows, sep="\n", file=file)
    return 1 if 1 in codes else max(codes)


sys.exit(main())
