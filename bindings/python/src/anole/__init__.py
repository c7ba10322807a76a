# SPDX-License-Identifier: MIT
"""Tunes neural networks for OpenCL devices, and runs them.

    anole.tune("m.onnx", device="cpu", time=60, lock="m.lock.json")
    outputs = anole.load("m.onnx", tuned="m.lock.json", device="cpu").run({"x": x})
"""
from ._devices import Device, devices
from ._library import Error, Status, lib as _lib, text as _text
from ._model import Latency, Model, Step, Tensor, load
from ._tune import InPlace, Progress, Result, Results, tune

__version__ = _text(_lib.anole_version())
__all__ = [
    "Device",
    "Error",
    "InPlace",
    "Latency",
    "Model",
    "Progress",
    "Result",
    "Results",
    "Status",
    "Step",
    "Tensor",
    "devices",
    "load",
    "tune",
]
