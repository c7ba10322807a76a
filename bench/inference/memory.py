#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares the memory of `anole run` and of ONNX Runtime, network by network.

    memory.py [--anole build/anole] [--threads 2] [--device cpu] [--tuned LOCK] MODEL.onnx...

Prints, of each side, the most memory that the process had resident at any time (VmHWM of
/proc/self/status, as `/usr/bin/time -f %M` has it), and what is resident once the network has
run (VmRSS; of that, in brackets, RssAnon: without pages of files).  Both get one input, and run it three times: that of
MODEL.npz, if it is beside the model (see race.py), else zeroes of the model's shape (an open size is 1).

ONNX Runtime: InferenceSession with its default SessionOptions but for intra_op_num_threads, CPU
provider, in a Python process that imports NumPy and nothing else; what that has before a model
is loaded is a column of its own.  Anole: started once before, so that kernels come from its cache;
its own worker processes are not counted, nor are ONNX Runtime's files.  Needs PyPI's onnxruntime
and numpy; Linux.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile
import time

PEER = """
import sys
import numpy as np
import onnxruntime

def status():
    with open("/proc/self/status") as file:
        return dict(line.split(":", 1) for line in file)

def say(what):
    now = status()
    print(what, *(now[key].split()[0] for key in ("VmHWM", "VmRSS", "RssAnon")), flush=True)

say("before")
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = int(sys.argv[2])
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
say("loaded")
with np.load(sys.argv[3]) as archive:
    feed = {i.name: archive[i.name] for i in session.get_inputs()}
for _ in range(3):
    session.run(None, feed)
say("run")
print("version", onnxruntime.__version__)
"""


def peer(model, threads, file):
    """Kilobytes by stage: (peak, resident, anonymous)."""
    done = subprocess.run([sys.executable, "-c", PEER, model, str(threads), file], check=True,
                          capture_output=True, text=True)
    stages = {}
    for line in done.stdout.splitlines():
        words = line.split()
        stages[words[0]] = words[1] if words[0] == "version" else tuple(map(int, words[1:]))
    return stages


def inputs(model):
    """Inputs as `anole run` takes them: zeroes of the same shapes, by ONNX Runtime's own word."""
    script = ("import sys, onnxruntime as o\n"
              "for i in o.InferenceSession(sys.argv[1], providers=['CPUExecutionProvider'])"
              ".get_inputs():\n"
              "    print(i.name, i.type, *(d if isinstance(d, int) else 1 for d in i.shape))")
    lines = subprocess.run([sys.executable, "-c", script, model], check=True, capture_output=True,
                           text=True).stdout.splitlines()
    return [(w[0], w[1], [int(d) for d in w[2:]]) for w in (line.split() for line in lines)]


def read_status(pid):
    """VmHWM, VmRSS, RssAnon in kilobytes, and seconds of processor time; None: it has ended."""
    try:
        with open(f"/proc/{pid}/status") as file:
            found = dict(re.findall(r"^(VmHWM|VmRSS|RssAnon):\s+(\d+) kB", file.read(), re.M))
        with open(f"/proc/{pid}/stat") as file:
            ticks = sum(map(int, file.read().rsplit(")", 1)[1].split()[11:13]))
        return [int(found[key]) for key in ("VmHWM", "VmRSS", "RssAnon")], \
            ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, KeyError, IndexError):
        return None


def ours(command):
    """The same of `anole run`, which runs the network until what is resident has not changed for
    half a second of its processor time."""
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command + ["--repeat", "1000000"], stderr=errors,
                                   stdout=subprocess.DEVNULL)
        since, resident, found = 0, 0, None
        while process.poll() is None and not found:
            now = read_status(process.pid)
            if now and abs(now[0][1] - resident) > 0.002 * resident:
                since, resident = now[1], now[0][1]
            elif now and now[1] - since > 0.5:
                found = now[0]
            time.sleep(0.005)
        if found:
            process.kill()
        process.wait()
        if not found:
            errors.seek(0)
            sys.exit(f"{' '.join(command)}: {errors.read()}")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--anole", default="build/anole")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--tuned", help="a lock file")
    parser.add_argument("models", nargs="+")
    arguments = parser.parse_args()
    import numpy as np
    from race import given_inputs
    kinds = {"tensor(float)": np.float32, "tensor(int64)": np.int64, "tensor(int32)": np.int32,
             "tensor(bool)": np.bool_}
    print("| network | Anole: peak, MB | running | ONNX Runtime: peak, MB | running | before | peak, "
          "ratio |\n| --- | --- | --- | --- | --- | --- | --- |")
    version = "?"
    for model in arguments.models:
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "in.npz")
            arrays = given_inputs(model)[0]
            if arrays is None:
                arrays = {name: np.zeros(dims, kinds[kind]) for name, kind, dims in inputs(model)}
            np.savez(file, **arrays)
            command = [arguments.anole, "run", model, "--device", arguments.device, "--threads",
                       str(arguments.threads), "--input", file]
            if arguments.tuned:
                command += ["--tuned", arguments.tuned]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
            a = ours(command)
            b = peer(model, arguments.threads, file)
        version = b["version"]
        mb = [round(x / 1000 * 1.024) for x in (*a, *b["run"], b["before"][1])]
        name = os.path.splitext(os.path.basename(model))[0]
        print(f"| {name} | {mb[0]} | {mb[1]} ({mb[2]}) | {mb[3]} | {mb[4]} ({mb[5]}) | {mb[6]} | "
              f"{a[0] / b['run'][0]:.2f} |", flush=True)
    print(f"\nONNX Runtime {version}, {arguments.threads} threads")


if __name__ == "__main__":
    main()
