#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What bench/gpu.sh has measured, as a table.

  name FOLDER DEVICE              the name of the device, as OpenCL has it
  keys LOCKFILE                   the tasks of a lock file, one a line
  tensor FOLDER DEVICE            "yes" if kernels may use the device's tensor cores
  table FOLDER DEVICE NETWORK...  the table
"""
import glob
import json
import math
import os
import re
import sys

PEERS = [("clblast", "CLBlast"), ("cudnn", "cuDNN"), ("tf32", "cuDNN TF32")]
# What is tuned with TF32 allowed is for those alone who use it too.
TF32_PEERS = [("fp32", "Anole fp32"), ("tf32", "cuDNN TF32")]


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def median(values):
    values = sorted(values)
    n = len(values)
    return values[n // 2] if n % 2 else (values[n // 2 - 1] + values[n // 2]) / 2


def find_device(folder, selector):
    devices = load(f"{folder}/devices.json")["devices"]
    for d in devices:
        if d["id"] == selector:
            return d
    matching = [d for d in devices if d["backend"] == selector
                or selector.lower() in f'{d["name"]}|{d["vendor"]}|{d["driver"]}'.lower()]
    return matching[0] if matching else None


def peak(device):
    """fp32 operations a second, or None where the device does not tell."""
    lanes = (device or {}).get("properties", {}).get("lanes_per_unit")
    if not lanes or not device.get("clock_mhz"):
        return None
    return 2.0 * lanes * device["compute_units"] * device["clock_mhz"] * 1e6


def flops(key):
    n = [int(x) for x in re.findall(r"\d+", re.split(r" t?f32", key)[0])]
    if key.startswith("dense"):
        batch, c, k = n
        return 2.0 * batch * c * k
    # "conv2d" and "depthwise_conv2d" begin with a digit of their own.
    _, batch, h, w, c, r, s, sh, sw, pt, pl, pb, pr, dh, dw, g, k = n
    p = (h + pt + pb - (r - 1) * dh - 1) // sh + 1
    q = (w + pl + pr - (s - 1) * dw - 1) // sw + 1
    return 2.0 * batch * p * q * k * r * s * (c // g)


def in_fp32(key):
    return key.replace(" tf32", " f32")


def ours(folder, network, precision="fp32"):
    """{key: [seconds of each round]}, of what came out right."""
    times = {}
    suffix = "" if precision == "fp32" else f"-{precision}"
    for path in sorted(glob.glob(f"{folder}/{network}-*-anole{suffix}.json")):
        try:
            tasks = load(path)["tasks"]
        except (ValueError, KeyError):
            continue
        for task in tasks:
            if task["outcome"] == "ok":
                times.setdefault(task["task"], []).append(task["seconds"])
    return times


def theirs(folder, network, peer):
    if peer == "fp32":
        return ours(folder, network)
    times = {}
    for path in sorted(glob.glob(f"{folder}/{network}-*-{peer}.txt")):
        with open(path, encoding="utf-8") as file:
            for line in file:
                seconds, _, key = line.rstrip("\n").partition("\t")
                if key:
                    times.setdefault(key, []).append(float(seconds))
    return times


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def print_network(folder, network, top, ratios, precision="fp32"):
    allowed = precision == "tf32"
    lock = load(f"{folder}/{network}{'.tf32' if allowed else ''}.lock.json")
    counts = {t["task"]: t["multiplicity"] for d in lock["devices"] for t in d["tasks"]}
    own = ours(folder, network, precision)
    peers = [(name, label, theirs(folder, network, name))
             for name, label in (TF32_PEERS if allowed else PEERS)]
    sums = {name: [0.0, 0.0] for name, _, _ in peers}
    print(f"\n{network}{', TF32 allowed' if allowed else ''}: times in us, and how many times as "
          "long the peer takes")
    print(f'{"task":<73} {"x":>2} {"Anole":>9} {"GFLOP/s":>8} {"peak":>5}'
          + "".join(f"{label:>19}" for _, label, _ in peers))
    for key, count in counts.items():
        if key not in own:
            print(f"{key:<73} {count:>2} {'failed':>9}")
            continue
        seconds = median(own[key])
        speed = flops(key) / seconds
        share = f"{100 * speed / top:.0f}%" if top else "-"
        line = f"{key:<73} {count:>2} {1e6 * seconds:>9.2f} {speed / 1e9:>8.0f} {share:>5}"
        for name, _, times in peers:
            if in_fp32(key) not in times:
                line += f'{"-":>19}'
                continue
            peer = median(times[in_fp32(key)])
            ratio = peer / seconds
            of = f"{precision} {name}"
            ratios.setdefault(of, []).append(ratio)
            if " k3x3 s1x1 " in key and key.startswith("conv2d"):
                ratios.setdefault(of + " 3x3", []).append(ratio)
            sums[name][0] += count * peer
            sums[name][1] += count * seconds
            line += f"{1e6 * peer:>10.2f} {ratio:>7.2f}x"
        print(line)
    for name, label, _ in peers:
        if sums[name][1]:
            print(f"  the layers that {label} did as well: {1e3 * sums[name][1]:.3f} ms here, "
                  f"{1e3 * sums[name][0]:.3f} ms there, {sums[name][0] / sums[name][1]:.2f}x")


def print_table(folder, selector, networks):
    device = find_device(folder, selector)
    top = peak(device)
    if device:
        print(f'{device["name"]}, {device["driver"]} {device["driver_version"]}'
              + (f": {top / 1e12:.1f} TFLOP/s in fp32 by its own words" if top else ""))
    print("Shares of the peak, which is that of fp32, count the operations of the layer, not those "
          "that Winograd saves.")
    ratios = {}
    for network in networks:
        print_network(folder, network, top, ratios)
        if os.path.exists(f"{folder}/{network}.tf32.lock.json"):
            print_network(folder, network, top, ratios, "tf32")
    print()
    for precision, peers in (("fp32", PEERS), ("tf32", TF32_PEERS)):
        for name, label in peers:
            print_ratio(f"{precision} {name}", f"in {precision} against {label}", ratios)


def print_ratio(of, label, ratios):
    if of not in ratios:
        print(f"{label}: not here")
        return
    line = (f"{label}: {geometric_mean(ratios[of]):.3f}x in the geometric mean of "
            f"{len(ratios[of])} layers")
    if of + " 3x3" in ratios:
        line += f'; 3x3 with stride 1: {geometric_mean(ratios[of + " 3x3"]):.3f}x'
    print(line)


def main():
    verb, *args = sys.argv[1:] or [""]
    if verb == "name" and len(args) == 2:
        device = find_device(*args)
        print(device["name"] if device else "")
    elif verb == "tensor" and len(args) == 2:
        device = find_device(*args)
        print("yes" if device and device["properties"].get("tensor_cores") == 1 else "")
    elif verb == "keys" and len(args) == 1:
        seen = dict.fromkeys(t["task"] for d in load(args[0])["devices"] for t in d["tasks"])
        print("\n".join(seen))
    elif verb == "table" and len(args) >= 3:
        print_table(args[0], args[1], args[2:])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
