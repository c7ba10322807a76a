#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes a network of ours (networks/*.json) as an ONNX file with seeded random weights.

    make_models.py [--batch N] OUTPUT_FOLDER NETWORK.json...

--batch: instead of the batch size that the network has; N is added to the file's name.
Needs PyPI's onnx and numpy.  Weights have a deviation of sqrt(2 / inputs of an output), so that
activations keep their size from layer to layer.
"""
import argparse
import json
import os

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Writer:
    """Translates layers in the file's order; NHWC shapes are tracked, ONNX gets NCHW."""

    def __init__(self, network, seed=0):
        self.random = np.random.default_rng(seed)
        self.network = network
        self.nodes, self.weights, self.shapes = [], [], {}
        self.inputs, self.last = [], None
        self.flat = set()  # layers whose tensor is [n, c]

    def weight(self, name, shape, fan_in):
        values = self.random.normal(0, np.sqrt(2.0 / fan_in), shape).astype(np.float32)
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def node(self, op, inputs, name, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def window(self, layer, shape, pool):
        def pair(key, default):
            value = layer.get(key, default)
            return [value, value] if isinstance(value, int) else list(value)

        kernel = pair("kernel", None)
        stride = pair("stride", kernel if pool else 1)
        dilation = pair("dilation", 1)
        padding = layer.get("padding", 0)
        if padding == "valid":
            padding = 0
        if padding == "same":
            pads = []
            for i in range(2):
                size, reach = shape[1 + i], (kernel[i] - 1) * dilation[i] + 1
                needed = max(0, ((size + stride[i] - 1) // stride[i] - 1) * stride[i] + reach - size)
                pads.append((needed // 2, needed - needed // 2))
            pads = [pads[0][0], pads[1][0], pads[0][1], pads[1][1]]
        elif isinstance(padding, int):
            pads = [padding] * 4
        else:
            pads = padding * 2 if len(padding) == 2 else padding
        attributes = dict(kernel_shape=kernel, strides=stride, pads=pads)
        if not pool:
            attributes["dilations"] = dilation
        size = []
        for i in range(2):
            room = shape[1 + i] + pads[i] + pads[2 + i] - (kernel[i] - 1) * dilation[i] - 1
            out = room // stride[i] + 1
            if layer.get("ceil") and room % stride[i] and out * stride[i] < shape[1 + i] + pads[i]:
                out += 1
            size.append(out)
        return attributes, size, kernel

    def activate(self, layer, name):
        activation = layer.get("activation", "none")
        if activation == "relu":
            return self.node("Relu", [name], name + ":relu")
        if activation == "relu6":
            for bound, value in (("low", 0.0), ("high", 6.0)):
                if not any(w.name == "relu6:" + bound for w in self.weights):
                    self.weights.append(
                        numpy_helper.from_array(np.array(value, np.float32), "relu6:" + bound))
            return self.node("Clip", [name, "relu6:low", "relu6:high"], name + ":relu6")
        return name

    def convolution(self, layer, x, shape):
        name, c = layer["name"], shape[3]
        attributes, size, kernel = self.window(layer, shape, False)
        if layer["kind"] == "depthwise_conv2d":
            groups, out = c, c * layer.get("multiplier", 1)
        else:
            groups, out = layer.get("groups", 1), layer["channels"]
        fan_in = c // groups * kernel[0] * kernel[1]
        inputs = [x, self.weight(name + ".w", [out, c // groups] + kernel, fan_in)]
        if layer.get("bias", True):
            inputs.append(self.weight(name + ".b", [out], 200))
        self.node("Conv", inputs, name, group=groups, **attributes)
        return self.activate(layer, name), [shape[0]] + size + [out]

    def layer(self, layer):
        name, kind = layer["name"], layer["kind"]
        sources = [self.values[i] for i in layer.get("inputs", [self.last])] if kind != "input" else []
        x, shape = sources[0] if sources else (None, None)
        if kind == "input":
            n, h, w, c = layer["shape"]
            self.inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [n, c, h, w]))
            return name, layer["shape"]
        if kind in ("conv2d", "depthwise_conv2d"):
            return self.convolution(layer, x, shape)
        if kind in ("max_pool", "average_pool"):
            attributes, size, _ = self.window(layer, shape, True)
            op = "MaxPool" if kind == "max_pool" else "AveragePool"
            attributes["ceil_mode"] = int(layer.get("ceil", False))
            return self.node(op, [x], name, **attributes), [shape[0]] + size + [shape[3]]
        if kind == "global_average_pool":
            return self.node("GlobalAveragePool", [x], name), [shape[0], 1, 1, shape[3]]
        if kind == "add":
            for i, (other, _) in enumerate(sources[1:]):
                x = self.node("Add", [x, other], name if i == len(sources) - 2 else f"{name}:{i}")
            return self.activate(layer, x), shape
        if kind == "concat":
            return (self.node("Concat", [s[0] for s in sources], name, axis=1),
                    shape[:3] + [sum(s[1][3] for s in sources)])
        if kind == "activation":
            self.node("Identity", [x], name)
            return self.activate(layer, name), shape
        if kind == "flatten":
            self.flat.add(name)
            return self.node("Flatten", [x], name), [shape[0], 1, 1, shape[1] * shape[2] * shape[3]]
        if kind == "dense":
            if x not in self.flat and not x.split(":")[0] in self.flat:
                x = self.node("Flatten", [x], name + ":flat")
            out, c = layer["channels"], shape[3]
            inputs = [x, self.weight(name + ".w", [out, c], c)]
            if layer.get("bias", True):
                inputs.append(self.weight(name + ".b", [out], 200))
            self.node("Gemm", inputs, name, transB=1)
            self.flat.add(name)
            return self.activate(layer, name), [shape[0], 1, 1, out]
        if kind == "lrn":
            return self.node("LRN", [x], name, size=layer.get("size", 5),
                             alpha=layer.get("alpha", 1e-4), beta=layer.get("beta", 0.75),
                             bias=float(layer.get("k", 1))), shape
        if kind == "softmax":
            return self.node("Softmax", [x], name, axis=1), shape
        raise SystemExit(f"make_models.py: layers of kind {kind} are not known here")

    def write(self, path):
        self.values = {}
        read = set()
        for layer in self.network["layers"]:
            read.update(layer.get("inputs", [self.last] if self.last else []))
            self.values[layer["name"]] = self.layer(layer)
            self.last = layer["name"]
        outputs = [helper.make_tensor_value_info(self.values[l["name"]][0], TensorProto.FLOAT, None)
                   for l in self.network["layers"] if l["name"] not in read]
        graph = helper.make_graph(self.nodes, self.network["name"], self.inputs, outputs, self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        model = onnx.shape_inference.infer_shapes(model)
        onnx.checker.check_model(model)
        onnx.save(model, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("networks", nargs="+")
    parser.add_argument("--batch", type=int)
    arguments = parser.parse_args()
    os.makedirs(arguments.folder, exist_ok=True)
    for path in arguments.networks:
        with open(path) as file:
            network = json.load(file)
        suffix = ""
        if arguments.batch:
            suffix = f"_b{arguments.batch}"
            for layer in network["layers"]:
                if layer["kind"] == "input":
                    layer["shape"][0] = arguments.batch
        target = os.path.join(arguments.folder, network["name"] + suffix + ".onnx")
        Writer(network).write(target)
        print(target)


if __name__ == "__main__":
    main()
