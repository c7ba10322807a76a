#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs ONNX models by ONNX Runtime and by Anole on the same random inputs, and says whether they agree.

    compare_onnxruntime.py model.onnx
    compare_onnxruntime.py --batch 1 --batch 4 model.onnx
    compare_onnxruntime.py --sizes x=1x3x320x320 --sizes x=2x3x480x640 det.onnx
    compare_onnxruntime.py --value ids=0:1000 bert.onnx

Needs the Python packages onnx, onnxruntime and numpy.  Each --batch and each --sizes is a run of its own; sizes that the file
fixes may be others, where the graph allows it.  A line a run goes to stdout: `right` with the worst error as a part of the
largest output, `wrong`, or `refused` with the reason.  Exits 1 if something was wrong, 3 if something was refused."""
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


def parse():
    parser = argparse.ArgumentParser(description="Compare Anole with ONNX Runtime on ONNX models.")
    parser.add_argument("models", nargs="+", metavar="MODEL.onnx")
    parser.add_argument("--anole", default=os.environ.get("ANOLE", "anole"), help="the program (default: $ANOLE, else anole)")
    parser.add_argument("--device", default="cpu", help="the device that Anole runs on (default: cpu)")
    parser.add_argument("--tuned", metavar="LOCK", help="take kernels from this lock file")
    parser.add_argument("--batch", action="append", type=int, default=[], metavar="N", help="the first size of each input; may be repeated")
    parser.add_argument("--sizes", action="append", default=[], metavar="NAME=SIZES[,NAME=SIZES...]",
                        help="shapes of inputs, such as x=1x3x320x320; may be repeated")
    parser.add_argument("--open", type=int, default=32, metavar="N", help="what open sizes are, but for the first (default: 32)")
    parser.add_argument("--value", action="append", default=[], metavar="NAME=LOW:HIGH",
                        help="the range of an input (default: reals from a normal distribution, 0 and 1 for whole numbers)")
    parser.add_argument("--tolerance", type=float, default=2e-4, metavar="T", help="|y - ref| up to T max|ref| (default: 2e-4)")
    parser.add_argument("--keep", metavar="DIR", help="keep inputs and references there, as NAME.npz")
    return parser.parse_args()


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


def run(arguments, path, batch, sizes):
    model = onnx.load(path, load_external_data=False)
    shapes = shapes_of(model, batch, sizes, arguments.open)
    what = f"{os.path.basename(path)} " + " ".join(f"{name}={'x'.join(map(str, dims)) or 'scalar'}" for name, dims in shapes.items())
    try:
        inputs = inputs_of(model, shapes, assignments(arguments.value))
        outputs = references(path, model, shapes, inputs)
    except Exception as error:
        print(f"skipped {what}: ONNX Runtime: {str(error).splitlines()[0]}", flush=True)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        data = os.path.join(arguments.keep or folder, os.path.basename(path)[:-5] + ".npz")
        np.savez(data, **inputs, **{name: y for name, y in outputs.items() if name not in inputs})
        command = [arguments.anole, "run", path, "--device", arguments.device, "--input", data, "--check", data, "--repeat", "1",
                   "--tolerance", str(arguments.tolerance), "--json"]
        if arguments.tuned:
            command += ["--tuned", arguments.tuned]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode not in (0, 5):
        print(f"refused {what}: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else done.returncode}", flush=True)
        return 3
    said = json.loads(done.stdout)
    worst = max(said["checks"], key=lambda check: check["error"], default={"error": 0, "output": None})
    largest = np.abs(outputs[worst["output"]].astype(np.float64)).max(initial=0) if worst["output"] else 0
    print(f"{'wrong' if done.returncode else 'right'} {what}: {worst['error']:.2g} of {largest:.3g}", flush=True)
    return 1 if done.returncode else 0


def main():
    arguments = parse()
    codes = set()
    for path in arguments.models:
        for batch in arguments.batch or [None]:
            for sizes in arguments.sizes or [""]:
                codes.add(run(arguments, path, batch, assignments([sizes]) if sizes else {}))
    return 1 if 1 in codes else max(codes)


sys.exit(main())
