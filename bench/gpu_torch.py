#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Times layers with cuDNN and cuBLAS, by PyTorch.

Reads task keys, one a line, as `anole` writes them; prints "SECONDS<tab>KEY" for each.
What is timed is the convolution, or product, with its bias: activation and residual,
which Anole's kernels do as well, are left out, in the peer's favour.  Each layer runs in
both layouts of memory, NCHW and NHWC, after cuDNN has chosen among all of its algorithms
(torch.backends.cudnn.benchmark); the faster one counts.  Runs are recorded into a CUDA
graph, so that launches cost what they cost the device.

  --tf32   lets the tensor cores round products to TF32; without it, fp32 throughout
  --probe  only says what there is, and fails if there is nothing
"""
import re
import sys

KEY = re.compile(
    r"(?P<kind>conv2d|depthwise_conv2d) n(?P<n>\d+) (?P<h>\d+)x(?P<w>\d+)x(?P<c>\d+) "
    r"k(?P<r>\d+)x(?P<s>\d+) s(?P<sh>\d+)x(?P<sw>\d+) p(?P<pt>\d+),(?P<pl>\d+),(?P<pb>\d+),"
    r"(?P<pr>\d+) d(?P<dh>\d+)x(?P<dw>\d+) g(?P<g>\d+) o(?P<o>\d+) f32(?P<rest>.*)"
)
DENSE = re.compile(r"dense n(?P<n>\d+) i(?P<c>\d+) o(?P<o>\d+) f32(?P<rest>.*)")
REPEATS = 20
ROUNDS = 9


def load_torch():
    import torch

    if not torch.cuda.is_available():
        sys.exit("this PyTorch finds no CUDA device")
    return torch


def seconds(torch, run):
    """The median of ROUNDS times of one run, out of graphs of REPEATS."""
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        for _ in range(3):
            run()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for _ in range(REPEATS):
            run()
    times = []
    for i in range(ROUNDS + 2):  # the first two warm the clocks up
        start = torch.cuda.Event(enable_timing=True)
        end = torch.cuda.Event(enable_timing=True)
        start.record()
        graph.replay()
        end.record()
        torch.cuda.synchronize()
        if i >= 2:
            times.append(start.elapsed_time(end) * 1e-3 / REPEATS)
    return sorted(times)[len(times) // 2]


def time_conv(torch, key):
    f = {k: int(v) for k, v in key.groupdict().items() if v.isdigit()}
    bias = "bias" in key["rest"].split()
    best = None
    for layout in (torch.contiguous_format, torch.channels_last):
        x = torch.randn(f["n"], f["c"], f["h"], f["w"], device="cuda")
        if f["pt"] == f["pb"] and f["pl"] == f["pr"]:
            padding = (f["pt"], f["pl"])
        else:  # cuDNN pads both sides alike: the input comes padded, for nothing
            padding = (0, 0)
            x = torch.nn.functional.pad(x, (f["pl"], f["pr"], f["pt"], f["pb"]))
        w = torch.randn(f["o"], f["c"] // f["g"], f["r"], f["s"], device="cuda")
        b = torch.randn(f["o"], device="cuda") if bias else None
        x, w = x.contiguous(memory_format=layout), w.contiguous(memory_format=layout)

        def run():
            torch.nn.functional.conv2d(
                x, w, b, (f["sh"], f["sw"]), padding, (f["dh"], f["dw"]), f["g"]
            )

        time = seconds(torch, run)
        best = time if best is None else min(best, time)
    return best


def time_dense(torch, key):
    n, c, o = int(key["n"]), int(key["c"]), int(key["o"])
    x, w = torch.randn(n, c, device="cuda"), torch.randn(o, c, device="cuda")
    b = torch.randn(o, device="cuda") if "bias" in key["rest"].split() else None
    return seconds(torch, lambda: torch.nn.functional.linear(x, w, b))


def main():
    torch = load_torch()
    if "--probe" in sys.argv:
        print(f"PyTorch {torch.__version__}, cuDNN {torch.backends.cudnn.version()}, "
              f"{torch.cuda.get_device_name()}")
        return
    tf32 = "--tf32" in sys.argv
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = tf32
    torch.backends.cuda.matmul.allow_tf32 = tf32
    with torch.no_grad():
        for line in sys.stdin:
            line = line.strip()
            conv, dense = KEY.fullmatch(line), DENSE.fullmatch(line)
            if conv or dense:
                time = time_conv(torch, conv) if conv else time_dense(torch, dense)
                print(f"{time:.9g}\t{line}", flush=True)


if __name__ == "__main__":
    try:
        main()
    except ImportError as error:
        sys.exit(f"{error}")
