# SPDX-License-Identifier: MIT
#
# From an ONNX file to a speed-up: cells of a notebook, which also run as a program.  The
# environment says which network, on which device, and for how long it is tuned.

# %% What is to be faster
import os
import tempfile

import numpy as np

import anole

network = os.environ.get("NETWORK")
device = os.environ.get("DEVICE", "cpu")
seconds = float(os.environ.get("SECONDS", "60"))
threads = int(os.environ.get("THREADS", "0"))


def make_network(path):
    """Three convolutions and a dense layer, with random weights."""
    from onnx import TensorProto, helper, numpy_helper, save

    random = np.random.default_rng(1)
    nodes, weights, last = [], [], "x"
    for i, (channels, filters, stride) in enumerate([(3, 32, 2), (32, 64, 1), (64, 64, 2)]):
        scale = (2 / (9 * channels)) ** 0.5
        values = random.normal(0, scale, (filters, channels, 3, 3)).astype(np.float32)
        weights.append(numpy_helper.from_array(values, f"w{i}"))
        nodes.append(
            helper.make_node(
                "Conv", [last, f"w{i}"], [f"c{i}"], strides=[stride] * 2, pads=[1] * 4
            )
        )
        nodes.append(helper.make_node("Relu", [f"c{i}"], [f"r{i}"]))
        last = f"r{i}"
    weights.append(numpy_helper.from_array(random.normal(0, 0.1, (10, 64)).astype(np.float32), "w"))
    nodes.append(helper.make_node("GlobalAveragePool", [last], ["pooled"]))
    nodes.append(helper.make_node("Flatten", ["pooled"], ["flat"]))
    nodes.append(helper.make_node("Gemm", ["flat", "w"], ["y"], transB=1))
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 64, 64])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 10])
    graph = helper.make_graph(nodes, "small", [x], [y], weights)
    opset = helper.make_opsetid("", 17)
    save(helper.make_model(graph, opset_imports=[opset], ir_version=8), path)


folder = tempfile.TemporaryDirectory()
if not network:
    network = os.path.join(folder.name, "small.onnx")
    make_network(network)

# %% What there is to run it on
for found in anole.devices(threads=threads):
    print(f"{found.id}: {found.name}, {found.compute_units} compute units")

# %% Tuning: Ctrl-C ends it; with a history, the next call would go on from there
lock = os.path.join(folder.name, "tuned.lock.json")


def show(progress):
    if progress.event == "phase":
        print(f"{progress.elapsed:6.1f} s: {progress.phase}, {progress.trials} trials so far")


results = anole.tune(
    network, device=device, threads=threads, time=seconds, lock=lock, progress=show
)
for result in results:
    print(
        f"{result.label}: {1e3 * result.seconds:.3f} ms, {result.speedup:.2f} times the default"
        if result.found
        else f"{result.label}: {result.problem}"
    )

# %% Running
tuned = anole.load(network, tuned=lock, device=device, threads=threads)
random = np.random.default_rng(2)
inputs = {
    tensor.name: random.normal(size=tensor.shape).astype(tensor.dtype) for tensor in tuned.inputs
}
outputs = tuned.run(inputs)
print(tuned, {name: array.shape for name, array in outputs.items()})

# %% How fast it is
mine = tuned.measure(inputs, repeat=20)
print(f"tuned: {1e3 * mine.median:.3f} ms [{1e3 * mine.low:.3f}, {1e3 * mine.high:.3f}]")

# %% And how fast onnxruntime is, if it is installed; the outputs are to be the same
try:
    import onnxruntime
except ImportError:
    print("onnxruntime is not installed: there is nothing to compare with")
else:
    import time

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(
        network, options, providers=["CPUExecutionProvider"]
    )
    for expected, (name, found) in zip(session.run(list(outputs), inputs), outputs.items()):
        error = np.max(np.abs(found - expected)) / np.max(np.abs(expected))
        print(f"{name}: off by {error:.1e} of the largest")
        assert error < 2e-4
    times = []
    for _ in range(20):
        start = time.perf_counter()
        session.run(list(outputs), inputs)
        times.append(time.perf_counter() - start)
    theirs = float(np.median(times))
    print(f"onnxruntime: {1e3 * theirs:.3f} ms; tuned is {theirs / mine.median:.2f} times as fast")

# %% The end
tuned.close()
folder.cleanup()
