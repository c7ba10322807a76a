#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes graphs.npz: small graphs as exporters write them, with what ONNX Runtime makes of them.

python3 tests/data/onnx/make_graphs.py [file]; needs numpy, onnx and onnxruntime.  Made with onnx 1.23.2, onnxruntime 1.32.0 and
numpy 2.4.  archive.py says of what form that is.  Weights are in sixteenths, so that files are small."""
import os
import sys

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

import archive

ort.set_default_logger_severity(4)
cases = {}
rng = None


class Graph:
    """Nodes are added by g.Conv(x, w, pads=...): what is no name becomes an initializer."""

    def __init__(self, opset):
        self.opset, self.nodes, self.constants, self.inputs, self.infos, self.count = opset, [], [], {}, [], 0
        self.ir = 4 if opset < 10 else 6 if opset < 13 else 8

    def name(self, what):
        self.count += 1
        return f"{what}_{self.count}"

    def input(self, name, array, dims=None):
        array = np.asarray(array)
        self.inputs[name] = array
        self.infos.append(helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), dims or array.shape))
        return name

    def constant(self, array):
        name = self.name("w")
        self.constants.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def node(self, op, operands, outputs, attributes):
        names = [x if isinstance(x, str) else "" if x is None else self.constant(x) for x in operands]
        made = [self.name(op.lower()) for _ in range(outputs)]
        self.nodes.append(helper.make_node(op, names, made, name=f"/{made[0]}/{op}", **attributes))
        return made if outputs > 1 else made[0]

    def __getattr__(self, op):
        return lambda *operands, outputs=1, **attributes: self.node(op, operands, outputs, attributes)

    # As exporters write it, by opset.

    def const(self, array):
        return self.Constant(value=numpy_helper.from_array(np.asarray(array)))

    def unsqueeze(self, x, *axes):
        return self.Unsqueeze(x, np.array(axes)) if self.opset >= 13 else self.Unsqueeze(x, axes=list(axes))

    def squeeze(self, x, *axes):
        return self.Squeeze(x, np.array(axes)) if self.opset >= 13 else self.Squeeze(x, axes=list(axes))

    def split(self, x, sizes, axis):
        if self.opset >= 13:
            return self.Split(x, np.array(sizes), outputs=len(sizes), axis=axis)
        return self.Split(x, outputs=len(sizes), axis=axis, split=list(sizes))

    def slice(self, x, start, end, axis, step=1):
        if self.opset >= 10:
            return self.Slice(x, *(np.array([v]) for v in (start, end, axis, step)))
        return self.Slice(x, starts=[start], ends=[end], axes=[axis])

    def mean(self, x, *axes, keep=1):
        if self.opset >= 18:
            return self.ReduceMean(x, np.array(axes), keepdims=keep)
        return self.ReduceMean(x, axes=list(axes), keepdims=keep)

    def clip(self, x, low, high):
        if self.opset >= 11:
            return self.Clip(x, np.float32(low), np.float32(high))
        return self.Clip(x, min=float(low), max=float(high))

    def size(self, x, axis):
        """x.size(axis), as a list of one."""
        return self.unsqueeze(self.Gather(self.Shape(x), self.const(np.int64(axis)), axis=0), 0)

    def view(self, x, *sizes):
        """x.view(...): numbers, or lists of one."""
        return self.Reshape(x, self.Concat(*(s if isinstance(s, str) else self.unsqueeze(self.const(np.int64(s)), 0) for s in sizes),
                                           axis=0))

    def norm(self, x, c):
        return self.BatchNormalization(x, positive(c), real(c), real(c), positive(c), epsilon=1e-3)

    def conv(self, x, cin, cout, k=3, stride=1, groups=1, bias=True, **attributes):
        attributes.setdefault("pads", [k // 2] * 4)
        w = [real(cout, cin // groups, k, k) / np.float32(4)] + ([real(cout)] if bias else [])
        return self.Conv(x, *w, kernel_shape=[k, k], strides=[stride] * 2, group=groups, **attributes)

    def layer_norm(self, x, c):
        """As PyTorch exported it before opset 17."""
        if self.opset >= 17:
            return self.LayerNormalization(x, positive(c), real(c), axis=-1)
        centred = self.Sub(x, self.mean(x, -1))
        variance = self.mean(self.Pow(centred, self.const(np.float32(2))), -1)
        return self.Add(self.Mul(self.Div(centred, self.Sqrt(self.Add(variance, self.const(np.float32(1e-5))))), positive(c)), real(c))

    def gelu(self, x):
        half = self.Mul(x, self.Add(self.Erf(self.Div(x, self.const(np.float32(2 ** 0.5)))), self.const(np.float32(1))))
        return self.Mul(half, self.const(np.float32(0.5)))

    def gelu_tanh(self, x):
        inner = self.Add(x, self.Mul(np.float32(0.044715), self.Pow(x, np.float32(3))))
        inner = self.Tanh(self.Mul(np.float32((2 / np.pi) ** 0.5), inner))
        return self.Mul(self.Mul(np.float32(0.5), x), self.Add(np.float32(1), inner))

    def linear(self, x, cin, cout):
        return self.Add(self.MatMul(x, real(cin, cout) / np.float32(2)), real(cout))

    def squeeze_excite(self, x, c):
        s = self.conv(self.GlobalAveragePool(x), c, 2, 1)
        s = self.conv(self.Relu(s), 2, c, 1)
        return self.Mul(x, self.HardSigmoid(s, alpha=0.2, beta=0.5))

    def attention(self, x, c, heads, mask=None, masked=None):
        batch, length = self.size(x, 0), self.size(x, 1)

        def head(y):
            return self.Transpose(self.view(y, batch, length, heads, c // heads), perm=[0, 2, 1, 3])
        q, k, v = (head(self.linear(x, c, c)) for _ in range(3))
        scores = self.Div(self.MatMul(q, self.Transpose(k, perm=[0, 1, 3, 2])), self.const(np.float32((c / heads) ** 0.5)))
        if mask:
            scores = self.Add(scores, mask)
        if masked:
            scores = self.Where(masked, self.const(np.float32(-np.inf)), scores)
        y = self.Transpose(self.MatMul(self.Softmax(scores, axis=3), v), perm=[0, 2, 1, 3])
        return self.linear(self.view(y, batch, length, c), c, c)


def real(*shape):
    return (np.round(rng.standard_normal(shape) * 16) / 16).astype(np.float32)


def positive(*shape):
    return (np.ceil(rng.random(shape) * 16) / 16 + 0.5).astype(np.float32)


def graph(*opsets):
    def make(build):
        global rng
        for opset in opsets:
            rng = np.random.default_rng(len(cases))
            g = Graph(opset)
            outputs = build(g)
            outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
            infos = [helper.make_empty_tensor_value_info(name) for name in outputs]
            made = helper.make_graph(g.nodes, build.__name__, g.infos, infos, g.constants)
            domains = {node.domain for node in g.nodes if node.domain}
            model = helper.make_model(made, opset_imports=[helper.make_opsetid("", opset)] + [helper.make_opsetid(d, 1) for d in domains],
                                      ir_version=g.ir, producer_name="")
            inferred = onnx.shape_inference.infer_shapes(model)
            for info, known in zip(model.graph.output, inferred.graph.output):
                info.type.tensor_type.elem_type = known.type.tensor_type.elem_type or TensorProto.FLOAT
            options = ort.SessionOptions()
            options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
            session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
            cases[f"{build.__name__}_{opset}"] = (model.SerializeToString(), list(g.inputs.values()), session.run(None, g.inputs))
        return build
    return make


# -- Convolutional networks from PyTorch --


@graph(7, 9, 11, 13, 17)
def torch_residual(g):
    x = g.input("x", real(2, 3, 12, 12), ["N", 3, 12, 12])
    x = g.MaxPool(g.Relu(g.norm(g.conv(x, 3, 8, 3, 2, bias=False), 8)), kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    y = g.norm(g.conv(g.Relu(g.norm(g.conv(x, 8, 8, bias=False), 8)), 8, 8, bias=False), 8)
    x = g.Relu(g.Add(y, x))
    y = g.norm(g.conv(g.Relu(g.norm(g.conv(x, 8, 16, 3, 2, bias=False), 16)), 16, 16, bias=False), 16)
    x = g.Relu(g.Add(y, g.norm(g.conv(x, 8, 16, 1, 2, bias=False), 16)))
    x = g.GlobalAveragePool(x)
    x = g.view(x, g.size(x, 0), -1) if g.opset < 11 else g.Flatten(x, axis=1)
    return g.Gemm(x, real(5, 16), real(5), transB=1)


@graph(10, 13)
def torch_mobile(g):
    """Depthwise, with Clip as ReLU6, and the hard swish that older exporters spell out."""
    x = g.clip(g.norm(g.conv(g.input("x", real(1, 3, 10, 10)), 3, 8, 3, 2, bias=False), 8), 0, 6)
    y = g.clip(g.norm(g.conv(x, 8, 8, 3, 1, 8, bias=False), 8), 0, 6)
    x = g.Add(x, g.norm(g.conv(y, 8, 8, 1, bias=False), 8))
    x = g.norm(g.conv(x, 8, 16, 5, 2, 8), 16)
    x = g.Div(g.Mul(x, g.clip(g.Add(x, g.const(np.float32(3))), 0, 6)), g.const(np.float32(6)))
    x = g.squeeze_excite(x, 16)
    return g.Flatten(g.mean(x, 2, 3))


@graph(11)
def torch_shuffle(g):
    x = g.input("x", real(1, 8, 4, 4))
    left, right = g.split(x, [4, 4], 1)
    right = g.Relu(g.conv(g.conv(g.Relu(g.conv(right, 4, 4, 1)), 4, 4, 3, 1, 4), 4, 4, 1))
    x = g.Concat(left, right, axis=1)
    x = g.view(x, g.size(x, 0), 2, 4, g.size(x, 2), g.size(x, 3))
    x = g.Transpose(x, perm=[0, 2, 1, 3, 4])
    return g.Reshape(x, np.array([1, -1, 4, 4]))


@graph(7, 9)
def caffe_inception(g):
    x = g.Relu(g.conv(g.input("x", real(1, 3, 9, 9)), 3, 8, bias=True))
    x = g.LRN(g.MaxPool(x, kernel_shape=[3, 3], strides=[2, 2], pads=[0, 0, 1, 1]), size=5, alpha=1e-2, beta=0.75)
    parts = [g.Relu(g.conv(x, 8, 4, 1)), g.Relu(g.conv(g.Relu(g.conv(x, 8, 4, 1)), 4, 6)),
             g.Relu(g.conv(g.Relu(g.conv(x, 8, 2, 1)), 2, 4, 5)),
             g.Relu(g.conv(g.MaxPool(x, kernel_shape=[3, 3], pads=[1] * 4), 8, 2, 1)),
             g.AveragePool(x, kernel_shape=[3, 3], pads=[1] * 4, count_include_pad=1)]
    x = g.Dropout(g.Concat(*parts, axis=1), ratio=0.4)
    x = g.Reshape(g.AveragePool(x, kernel_shape=[4, 4]), np.array([0, -1]))
    return g.Softmax(g.Gemm(x, real(24, 4), real(4)), axis=1)


@graph(12)
def torch_efficient(g):
    x = g.Conv(g.input("x", real(1, 3, 9, 9)), real(8, 3, 3, 3), strides=[2, 2], auto_pad="SAME_UPPER")
    x = g.Mul(x, g.Sigmoid(x))
    s = g.mean(x, 2, 3)
    s = g.conv(s, 8, 2, 1)
    s = g.conv(g.Mul(s, g.Sigmoid(s)), 2, 8, 1)
    x = g.conv(g.Mul(g.Sigmoid(s), x), 8, 8, 1)
    x = g.Mul(x, g.Tanh(g.Softplus(x)))
    return g.squeeze(g.GlobalMaxPool(x), 2, 3)


@graph(16)
def torch_convnext(g):
    x = g.conv(g.input("x", real(1, 3, 8, 8)), 3, 8, 2, 2, pads=[0] * 4)
    y = g.Transpose(g.conv(x, 8, 8, 7, 1, 8), perm=[0, 2, 3, 1])
    y = g.linear(g.gelu(g.linear(g.layer_norm(y, 8), 8, 16)), 16, 8)
    y = g.Transpose(g.Mul(real(8), y), perm=[0, 3, 1, 2])
    return g.Add(x, y)


# -- From TensorFlow and Keras: channels last, transposed at every layer --


@graph(9, 13)
def keras_separable(g):
    x = g.input("x", real(1, 9, 9, 3), ["N", 9, 9, 3])
    if g.opset >= 11:
        x = g.Pad(x, np.array([0, 0, 0, 0, 0, 1, 1, 0]), mode="constant")
    else:
        x = g.Pad(x, pads=[0, 0, 0, 0, 0, 1, 1, 0])
    x = g.Transpose(x, perm=[0, 3, 1, 2])
    x = g.norm(g.Conv(x, real(8, 3, 3, 3), strides=[2, 2], auto_pad="VALID"), 8)
    x = g.Transpose(x, perm=[0, 2, 3, 1])
    x = g.clip(x, 0, 6)
    x = g.Transpose(x, perm=[0, 3, 1, 2])
    w = g.Reshape(real(3, 3, 8, 1), np.array([3, 3, 1, 8]))
    x = g.Conv(x, g.Transpose(w, perm=[3, 2, 0, 1]), auto_pad="SAME_UPPER", group=8)
    x = g.Transpose(x, perm=[0, 2, 3, 1])
    x = g.Relu(g.Add(x, real(8)))
    x = g.mean(x, 1, 2, keep=0)
    x = g.Softmax(g.Add(g.MatMul(x, real(8, 4)), real(4)), axis=1)
    return x


@graph(11)
def tf_resize(g):
    """The size of one tensor times two, as tf2onnx finds it."""
    x = g.input("x", real(1, 4, 5, 3), ["N", 4, 5, 3])
    size = g.Slice(g.Cast(g.Shape(x), to=TensorProto.INT32), np.array([1]), np.array([3]), np.array([0]))
    size = g.Cast(g.Mul(size, np.array([2, 2], np.int32)), to=TensorProto.INT64)
    y = g.Transpose(x, perm=[0, 3, 1, 2])
    size = g.Concat(g.Slice(g.Shape(y), np.array([0]), np.array([2]), np.array([0])), size, axis=0)
    y = g.Resize(y, np.zeros(0, np.float32), np.zeros(0, np.float32), size, mode="linear",
                 coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    y = g.Transpose(y, perm=[0, 2, 3, 1])
    return g.Concat(g.Sigmoid(y), g.Neg(y), axis=-1)


@graph(12)
def keras_lstm(g):
    x = g.input("x", real(2, 5, 3), ["N", 5, 3])
    y, h, c = g.LSTM(g.Transpose(x, perm=[1, 0, 2]), real(1, 16, 3), real(1, 16, 4), real(1, 32), outputs=3, hidden_size=4)
    y = g.Transpose(g.squeeze(y, 1), perm=[1, 0, 2])
    batch = g.Slice(g.Shape(y), np.array([0]), np.array([1]), np.array([0]))
    flat = g.Reshape(y, np.array([-1, 4]))
    flat = g.Add(g.MatMul(flat, real(4, 3)), real(3))
    return g.Reshape(flat, g.Concat(batch, np.array([5, 3]), axis=0)), g.squeeze(h, 0), c


# -- From Paddle --


@graph(11, 14)
def paddle_mobile(g):
    def hard_swish(x):
        return g.HardSwish(x) if g.opset >= 14 else g.Div(g.Mul(x, g.clip(g.Add(x, np.array([3], np.float32)), 0, 6)),
                                                          np.array([6], np.float32))
    x = hard_swish(g.norm(g.conv(g.input("x", real(1, 3, 16, 16), ["N", 3, "H", "W"]), 3, 8, 3, 2, bias=False), 8))
    y = g.norm(g.conv(x, 8, 8, 3, 2, 8, bias=False), 8)
    s = g.GlobalAveragePool(y)
    s = g.Relu(g.Add(g.conv(s, 8, 2, 1, bias=False), g.Reshape(real(2), np.array([1, -1, 1, 1]))))
    s = g.Add(g.conv(s, 2, 8, 1, bias=False), g.Reshape(real(8), np.array([1, -1, 1, 1])))
    y = hard_swish(g.Mul(y, g.HardSigmoid(s, alpha=0.1666666716337204, beta=0.5)))
    up = g.Resize(y, np.zeros(0, np.float32) if g.opset < 13 else None, np.array([1, 1, 2, 2], np.float32), mode="nearest",
                  coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    x = g.Concat(g.Add(x, up), up, axis=1)
    x = g.Relu(g.norm(g.ConvTranspose(x, real(16, 4, 2, 2), strides=[2, 2], kernel_shape=[2, 2]), 4))
    return g.Sigmoid(g.Add(g.ConvTranspose(x, real(4, 1, 2, 2), strides=[2, 2], kernel_shape=[2, 2]),
                           g.Reshape(real(1), np.array([1, -1, 1, 1]))))


@graph(11)
def paddle_recognize(g):
    x = g.Relu(g.conv(g.input("x", real(2, 3, 8, 24), ["N", 3, 8, "W"]), 3, 8, 3, 2))
    x = g.AveragePool(x, kernel_shape=[4, 2], strides=[4, 2])
    x = g.Transpose(g.squeeze(x, 2), perm=[0, 2, 1])
    shape = g.Cast(g.Shape(x), to=TensorProto.INT32)
    batch = g.Slice(shape, np.array([0]), np.array([1]), np.array([0]))
    zero = g.Expand(np.zeros((1, 1, 1), np.float32), g.Cast(g.Concat(np.array([2], np.int32), batch, np.array([5], np.int32), axis=0),
                                                            to=TensorProto.INT64))
    y, h, c = g.LSTM(g.Transpose(x, perm=[1, 0, 2]), real(2, 20, 8), real(2, 20, 5), real(2, 40), None, zero, zero, outputs=3,
                     hidden_size=5, direction="bidirectional")
    y = g.Reshape(g.Transpose(y, perm=[0, 2, 1, 3]), np.array([0, 0, -1]))
    y = g.Add(g.MatMul(g.Transpose(y, perm=[1, 0, 2]), real(10, 6)), real(6))
    return g.Softmax(y, axis=2)


# -- Detection --


@graph(11, 12, 17)
def yolo5(g):
    def silu(x):
        return g.Mul(x, g.Sigmoid(x))
    x = g.input("images", real(1, 3, 16, 16))
    rows = [g.slice(x, i, 2 ** 31 - 1, 2, 2) for i in (0, 1)]
    x = g.Concat(*(g.slice(rows[i], j, 2 ** 63 - 1, 3, 2) for j in (0, 1) for i in (0, 1)), axis=1)
    x = silu(g.conv(x, 12, 8))
    a = silu(g.conv(x, 8, 4, 1))
    x = g.Concat(g.Add(a, silu(g.conv(silu(g.conv(a, 4, 4, 1)), 4, 4))), silu(g.conv(x, 8, 4, 1)), axis=1)
    small = silu(g.conv(x, 8, 8, 3, 2))
    small = g.Concat(small, *(g.MaxPool(small, kernel_shape=[k, k], strides=[1, 1], pads=[k // 2] * 4) for k in (3, 5)), axis=1)
    small = silu(g.conv(small, 24, 8, 1))
    none = g.const(np.zeros(0, np.float32))
    up = g.Resize(small, none, g.const(np.array([1, 1, 2, 2], np.float32)), coordinate_transformation_mode="asymmetric",
                  cubic_coeff_a=-0.75, mode="nearest", nearest_mode="floor")
    heads = []
    for y, stride in ((g.conv(g.Concat(up, x, axis=1), 16, 14, 1), 2), (g.conv(small, 8, 14, 1), 4)):
        n = 16 // stride
        y = g.view(y, g.size(y, 0), 2, 7, g.size(y, 2), g.size(y, 3))
        y = g.Sigmoid(g.Transpose(y, perm=[0, 1, 3, 4, 2]))
        xs, ys = np.meshgrid(np.arange(n, dtype=np.float32), np.arange(n, dtype=np.float32))
        grid = np.stack([xs, ys], -1)[None, None] - np.float32(0.5)
        if g.opset == 12:
            xy, wh, rest = g.slice(y, 0, 2, 4), g.slice(y, 2, 4, 4), g.slice(y, 4, 2 ** 63 - 1, 4)
        else:
            xy, wh, rest = g.split(y, [2, 2, 3], 4)
        xy = g.Mul(g.Add(g.Mul(xy, np.float32(2)), grid), np.float32(stride))
        wh = g.Mul(g.Pow(g.Mul(wh, np.float32(2)), np.float32(2)), positive(1, 2, 1, 1, 2))
        y = g.Concat(xy, wh, rest, axis=4)
        heads.append(g.view(y, g.size(y, 0), -1, 7))
    return g.Concat(*heads, axis=1)


@graph(17, 19)
def yolo8(g):
    x = g.input("images", real(1, 8, 6, 6), [1, 8, "height", "width"])
    small = g.MaxPool(x, kernel_shape=[2, 2], strides=[2, 2])
    flat = []
    for y in (x, small):
        y = g.Concat(g.conv(y, 8, 16, 1), g.conv(y, 8, 3, 1), axis=1)
        flat.append(g.Reshape(y, np.array([1, 19, -1])))
    box, classes = g.split(g.Concat(*flat, axis=2), [16, 3], 1)
    n = 36 + 9
    box = g.Softmax(g.Transpose(g.Reshape(box, np.array([1, 4, 4, n])), perm=[0, 2, 1, 3]), axis=1)
    box = g.Conv(box, np.arange(4, dtype=np.float32).reshape(1, 4, 1, 1), kernel_shape=[1, 1])
    box = g.Reshape(box, np.array([1, 4, n]))
    count = g.Gather(g.Shape(box), g.const(np.array([1])), axis=0)
    half = g.Div(g.Add(count, np.array([1])), np.array([2]))
    low = g.Slice(box, np.array([0]), g.Mul(half, np.array([1])), np.array([1]))
    high = g.Slice(box, g.Mul(half, np.array([1])), g.Mul(half, np.array([2])), np.array([1]))
    anchors = real(1, 2, n)
    low, high = g.Sub(anchors, low), g.Add(anchors, high)
    box = g.Concat(g.Div(g.Add(low, high), np.float32(2)), g.Sub(high, low), axis=1)
    return g.Concat(g.Mul(box, positive(1, n)), g.Sigmoid(classes), axis=1)


@graph(11)
def darknet(g):
    x = g.LeakyRelu(g.norm(g.conv(g.input("x", real(1, 3, 8, 8)), 3, 8, bias=False), 8), alpha=0.1)
    y = g.LeakyRelu(g.norm(g.conv(x, 8, 4, 1, bias=False), 4), alpha=0.1)
    x = g.Add(x, g.LeakyRelu(g.norm(g.conv(y, 4, 8, bias=False), 8), alpha=0.1))
    low = g.LeakyRelu(g.conv(x, 8, 8, 3, 2), alpha=0.1)
    x = g.Concat(g.Resize(low, np.zeros(0, np.float32), np.array([1, 1, 2, 2], np.float32), mode="nearest"), x, axis=1)
    return g.Transpose(g.conv(x, 16, 6, 1), perm=[0, 2, 3, 1]), g.Transpose(g.conv(low, 8, 6, 1), perm=[0, 2, 3, 1])


@graph(10, 11)
def ssd(g):
    x = g.Relu(g.conv(g.input("x", real(1, 3, 8, 8)), 3, 8))
    small = g.Relu(g.conv(x, 8, 8, 3, 2))
    scores, boxes = [], []
    for y in (x, small):
        scores.append(g.Reshape(g.Transpose(g.conv(y, 8, 6), perm=[0, 2, 3, 1]), np.array([1, -1, 3])))
        boxes.append(g.Reshape(g.Transpose(g.conv(y, 8, 8), perm=[0, 2, 3, 1]), np.array([1, -1, 4])))
    scores, boxes = g.Softmax(g.Concat(*scores, axis=1), axis=2), g.Concat(*boxes, axis=1)
    centre = g.Add(g.Mul(g.slice(boxes, 0, 2, 2), np.float32(0.1)), positive(1, 160, 2))
    size = g.Mul(g.Exp(g.Mul(g.slice(boxes, 2, 4, 2), np.float32(0.2))), positive(1, 160, 2))
    half = g.Div(size, np.float32(2))
    boxes = g.Concat(g.Sub(centre, half), g.Add(centre, half), axis=2)
    first = g.squeeze(g.slice(g.Transpose(scores, perm=[0, 2, 1]), 1, 2, 1), 1)
    best, places = g.TopK(first, g.const(np.array([5])), outputs=2, axis=1)
    return best, places, g.Gather(g.squeeze(boxes, 0), g.squeeze(places, 0), axis=0), scores


# -- Transformers --


@graph(11, 14, 17)
def bert(g):
    ids = g.input("input_ids", rng.integers(0, 20, (2, 6)), ["batch", "sequence"])
    mask = g.input("attention_mask", np.array([[1] * 6, [1, 1, 1, 1, 0, 0]]), ["batch", "sequence"])
    length = g.Gather(g.Shape(ids), g.const(np.int64(1)), axis=0)
    places = g.Slice(np.arange(12)[None], np.array([0]), g.unsqueeze(length, 0), np.array([1]))
    x = g.Add(g.Add(g.Gather(real(20, 8), ids), g.Gather(real(2, 8), g.ConstantOfShape(
        g.Shape(ids), value=numpy_helper.from_array(np.array([0])))) if g.opset < 14 else g.Gather(real(20, 8), ids)),
        g.Gather(real(12, 8), places))
    x = g.layer_norm(x, 8)
    bias = g.Cast(g.unsqueeze(mask, 1, 2), to=TensorProto.FLOAT)
    bias = g.Mul(g.Sub(g.const(np.float32(1)), bias), g.const(np.float32(-10000)))
    x = g.layer_norm(g.Add(g.attention(x, 8, 2, bias), x), 8)
    x = g.layer_norm(g.Add(g.linear(g.gelu(g.linear(x, 8, 16)), 16, 8), x), 8)
    pooled = g.Tanh(g.Gemm(g.Gather(x, g.const(np.int64(0)), axis=1), real(8, 8), real(8), alpha=1.0, beta=1.0, transB=1))
    return x, pooled


@graph(13, 18)
def gpt(g):
    """Causal, by a table of bool that is cut to length, and by Trilu."""
    ids = g.input("input_ids", rng.integers(0, 20, (1, 5)), ["batch", "sequence"])
    x = g.Gather(real(20, 8), ids)
    length = g.size(x, 1)
    if g.opset < 14:
        table = np.triu(np.ones((1, 1, 10, 10), bool), 1)
        masked = g.Slice(g.Slice(table, np.array([0]), length, np.array([2]), np.array([1])), np.array([0]), length,
                         np.array([3]), np.array([1]))
    else:
        ones = g.ConstantOfShape(g.Concat(length, length, axis=0), value=numpy_helper.from_array(np.array([1], np.float32)))
        masked = g.Cast(g.Trilu(ones, np.int64(1), upper=1), to=TensorProto.BOOL)
    x = g.Add(x, g.attention(g.layer_norm(x, 8), 8, 2, masked=masked))
    x = g.Add(x, g.linear(g.gelu_tanh(g.linear(g.layer_norm(x, 8), 8, 16)), 16, 8))
    x = g.layer_norm(x, 8)
    return g.MatMul(x, g.Transpose(real(20, 8), perm=[1, 0])), g.LogSoftmax(g.squeeze(g.slice(x, -1, 2 ** 63 - 1, 1), 1), axis=-1)


@graph(13)
def vit(g):
    x = g.conv(g.input("x", real(2, 3, 8, 8), ["N", 3, 8, 8]), 3, 8, 4, 4, pads=[0] * 4)
    n = g.size(x, 0)
    x = g.Transpose(g.view(x, n, 8, -1), perm=[0, 2, 1])
    sizes = g.Concat(n, g.const(np.array([-1, -1])), axis=0)
    sizes = g.Where(g.Equal(sizes, np.array([-1, -1, -1])), np.array([1, 1, 1]), sizes)
    token = g.Expand(real(1, 1, 8), sizes)
    x = g.Add(g.Concat(token, x, axis=1), real(1, 5, 8))
    x = g.Add(x, g.attention(g.layer_norm(x, 8), 8, 2))
    x = g.Add(x, g.linear(g.gelu(g.linear(g.layer_norm(x, 8), 8, 16)), 16, 8))
    x = g.Gather(g.layer_norm(x, 8), g.const(np.int64(0)), axis=1)
    return g.Gemm(x, real(3, 8), real(3), transB=1)


@graph(12)
def einsum_attention(g):
    q, k, v = (g.input(name, real(2, 2, 3, 4)) for name in "qkv")
    scores = g.Mul(g.Einsum(q, k, equation="bhid,bhjd->bhij"), np.float32(0.5))
    y = g.Einsum(g.Softmax(scores, axis=-1), v, equation="b h i j, b h j d -> b i h d")
    return g.Einsum(y, real(2, 4, 5), equation="bihd,hde->bie"), g.Einsum(q, equation="bhij->bji"), \
        g.Einsum(q, real(4), equation="...d,d->...")


@graph(16)
def swin(g):
    """Windows, shifted: roll, six dimensions, and a bias by relative places."""
    x = g.input("x", real(1, 4, 4, 8))
    x = g.Concat(g.slice(x, 1, 2 ** 63 - 1, 1), g.slice(x, 0, 1, 1), axis=1)
    x = g.Concat(g.slice(x, 1, 2 ** 63 - 1, 2), g.slice(x, 0, 1, 2), axis=2)
    x = g.Transpose(g.Reshape(x, np.array([1, 2, 2, 2, 2, 8])), perm=[0, 1, 3, 2, 4, 5])
    x = g.Reshape(x, np.array([-1, 4, 8]))
    bias = g.Reshape(g.Gather(real(9, 2), rng.integers(0, 9, 16)), np.array([4, 4, 2]))
    bias = g.unsqueeze(g.Transpose(bias, perm=[2, 0, 1]), 0)
    x = g.attention(g.layer_norm(x, 8), 8, 2, bias)
    x = g.Transpose(g.Reshape(x, np.array([1, 2, 2, 2, 2, 8])), perm=[0, 1, 3, 2, 4, 5])
    return g.Reshape(x, np.array([1, 4, 4, 8]))


# -- Pixels to pixels --


@graph(9, 11, 16)
def unet(g):
    x = g.input("x", real(1, 3, 8, 10))
    a = g.Relu(g.norm(g.conv(x, 3, 4, bias=False), 4))
    b = g.Relu(g.norm(g.conv(g.MaxPool(a, kernel_shape=[2, 2], strides=[2, 2]), 4, 8, bias=False), 8))
    c = g.Relu(g.conv(g.MaxPool(b, kernel_shape=[2, 2], strides=[2, 2]), 8, 8))
    if g.opset >= 11:
        none = np.zeros(0, np.float32) if g.opset < 13 else None
        size = g.Concat(g.slice(g.Shape(c), 0, 2, 0), g.slice(g.Shape(b), 2, 4, 0), axis=0)
        up = g.Resize(c, none, none, size, mode="linear", coordinate_transformation_mode="align_corners")
    else:
        up = g.Upsample(g.Pad(c, pads=[0, 0, 0, 0, 0, 0, 0, 1]), np.array([1, 1, 2, 2], np.float32), mode="linear")
        up = g.slice(up, 0, 5, 3)
    x = g.Relu(g.conv(g.Concat(b, up, axis=1), 16, 8))
    x = g.ConvTranspose(x, real(8, 4, 2, 2), real(4), strides=[2, 2])
    x = g.Relu(g.conv(g.Concat(a, x, axis=1), 8, 4))
    return g.Sigmoid(g.conv(x, 4, 1, 1))


@graph(11)
def deeplab(g):
    x = g.Relu(g.conv(g.input("x", real(1, 3, 9, 9)), 3, 8))
    parts = [g.Relu(g.conv(x, 8, 4, 1))]
    parts += [g.Relu(g.norm(g.conv(x, 8, 4, 3, dilations=[d, d], pads=[d] * 4, bias=False), 4)) for d in (2, 4)]
    pooled = g.Relu(g.conv(g.GlobalAveragePool(x), 8, 4, 1))
    none = np.zeros(0, np.float32)
    size = g.Concat(g.slice(g.Shape(pooled), 0, 2, 0), g.Concat(g.size(x, 2), g.size(x, 3), axis=0), axis=0)
    parts.append(g.Resize(pooled, none, none, size, mode="linear", coordinate_transformation_mode="pytorch_half_pixel"))
    x = g.conv(g.Concat(*parts, axis=1), 16, 3, 1)
    x = g.Resize(x, none, np.array([1, 1, 2, 2], np.float32), mode="linear", coordinate_transformation_mode="half_pixel")
    return x, g.ArgMax(x, axis=1, keepdims=0)


@graph(10, 13)
def pixel_shuffle(g):
    x = g.PRelu(g.conv(g.input("x", real(1, 3, 5, 6), [1, 3, "H", "W"]), 3, 8), positive(8, 1, 1))
    if g.opset >= 11:
        x = g.DepthToSpace(x, blocksize=2, mode="CRD")
    else:
        h, w = g.size(x, 2), g.size(x, 3)
        x = g.Transpose(g.view(x, 1, 2, 2, 2, h, w), perm=[0, 1, 4, 2, 5, 3])
        x = g.view(x, 1, 2, g.Mul(h, np.array([2])), g.Mul(w, np.array([2])))
    return g.clip(g.Add(g.conv(x, 2, 1), g.const(np.float32(0.5))), 0, 1)


@graph(11)
def style(g):
    """Reflected borders as PyTorch writes them, instance norms, and a group norm of these."""
    x = g.input("x", real(1, 4, 6, 6))
    pads = g.const(np.array([1, 1, 1, 1]))
    rest = g.Sub(g.const(np.int64(8)), g.Gather(g.Shape(pads), np.int64(0)))
    pads = g.Concat(pads, g.ConstantOfShape(g.unsqueeze(rest, 0), value=numpy_helper.from_array(np.array([0]))), axis=0)
    pads = g.Transpose(g.Slice(g.Reshape(pads, np.array([-1, 2])), np.array([-1]), np.array([-(2 ** 63) + 1]), np.array([0]),
                               np.array([-1])), perm=[1, 0])
    x = g.Pad(x, g.Cast(g.Reshape(pads, np.array([-1])), to=TensorProto.INT64), mode="reflect")
    x = g.Relu(g.InstanceNormalization(g.conv(x, 4, 4, pads=[0] * 4), positive(4), real(4)))
    y = g.Reshape(x, np.array([0, 2, -1]))
    y = g.InstanceNormalization(y, np.ones(2, np.float32), np.zeros(2, np.float32))
    y = g.Reshape(y, g.Shape(x))
    return g.Add(g.Mul(y, real(4, 1, 1)), real(4, 1, 1))


# -- Sound --


@graph(11, 17)
def spectrum(g):
    x = g.input("wave", real(1, 64), ["N", 64])
    x = g.unsqueeze(x, 1)
    x = g.Pad(x, np.array([0, 0, 8, 0, 0, 8]), mode="reflect")
    x = g.Conv(x, real(18, 1, 16), strides=[8])
    re, im = g.slice(x, 0, 9, 1), g.slice(x, 9, 18, 1)
    power = g.Add(g.Pow(re, np.float32(2)), g.Mul(im, im))
    mel = g.MatMul(np.abs(real(6, 9)), power)
    mel = g.Log(g.clip(mel, 1e-5, 1e10))
    x = g.Transpose(mel, perm=[2, 0, 1])
    y, h = g.GRU(x, real(2, 15, 6), real(2, 15, 5), real(2, 30), outputs=2, hidden_size=5, direction="bidirectional",
                 linear_before_reset=1)
    y = g.Reshape(g.Transpose(y, perm=[0, 2, 1, 3]), np.array([0, 0, -1]))
    return g.Sigmoid(g.linear(y, 10, 1)), h, g.Sqrt(power)


@graph(9, 15)
def separator(g):
    """Convolutions along time: dilated, causal by cutting, and back by a transposed one."""
    x = g.input("mix", real(1, 1, 40))
    w = g.Relu(g.Conv(x, real(8, 1, 4), strides=[2]))
    mean = g.mean(w, 1, 2)
    centred = g.Sub(w, mean)
    y = g.Div(centred, g.Sqrt(g.Add(g.mean(g.Mul(centred, centred), 1, 2), g.const(np.float32(1e-8)))))
    for d in (1, 2):
        z = g.PRelu(g.Conv(y, real(8, 8, 1), real(8)), positive(1))
        z = g.Conv(z, real(8, 1, 3), real(8), group=8, dilations=[d], pads=[2 * d, 2 * d])
        z = g.slice(z, 0, -2 * d, 2)
        y = g.Add(y, g.Conv(z, real(8, 8, 1) / np.float32(4)))
    y = g.ConvTranspose(g.Mul(w, g.Sigmoid(y)), real(8, 1, 4), strides=[2])
    return g.squeeze(y, 1)


@graph(13)
def crnn(g):
    x = g.MaxPool(g.Relu(g.conv(g.input("x", real(1, 1, 8, 16), [1, 1, 8, "W"]), 1, 4)), kernel_shape=[2, 2], strides=[2, 2])
    x = g.MaxPool(g.Relu(g.norm(g.conv(x, 4, 4), 4)), kernel_shape=[2, 2], strides=[2, 1], pads=[0, 1, 0, 1])
    x = g.Relu(g.Conv(x, real(6, 4, 2, 2)))
    x = g.Transpose(g.squeeze(x, 2), perm=[2, 0, 1])
    length = g.Gather(g.Shape(x), np.int64(1))
    zero = g.ConstantOfShape(g.Concat(np.array([2]), g.unsqueeze(length, 0), np.array([5]), axis=0))
    y, h, c = g.LSTM(x, real(2, 20, 6), real(2, 20, 5), real(2, 40), None, zero, zero, outputs=3, hidden_size=5,
                     direction="bidirectional")
    y = g.Reshape(g.Transpose(y, perm=[0, 2, 1, 3]), np.array([0, 0, -1]))
    y = g.view(g.linear(g.view(y, g.Mul(g.size(y, 0), g.size(y, 1)), 10), 10, 4), g.size(y, 0), g.size(y, 1), -1)
    return g.LogSoftmax(y, axis=2)


# -- Odds and ends --


@graph(13)
def embedding(g):
    """Of unit length, as F.normalize is written; and what is read or made twice."""
    x = g.input("x", real(2, 6), ["N", 6])
    y = g.linear(x, 6, 4)
    length = g.Expand(g.Clip(g.ReduceL2(y, axes=[1], keepdims=1), np.float32(1e-12)), g.Shape(y))
    y = g.Div(y, length)
    return y, g.Identity(x), g.Identity(y), g.MatMul(y, g.Transpose(y, perm=[1, 0]))


@graph(11, 13)
def torch_squeeze(g):
    """x.squeeze(1) of what may have another size there: an If whose condition shapes know."""
    x = g.Relu(g.conv(g.input("x", real(1, 3, 4, 4)), 3, 1, 1))
    one = g.Equal(g.Gather(g.Shape(x), g.const(np.int64(1)), axis=0), g.const(np.int64(1)))

    def branch(op, **attributes):
        constants = []
        operands = [x]
        if op == "Squeeze" and g.opset >= 13:
            constants, attributes = [helper.make_node("Constant", [], ["axes"], value=numpy_helper.from_array(np.array([1])))], {}
            operands.append("axes")
        name = f"{op.lower()}_out"
        return helper.make_graph(constants + [helper.make_node(op, operands, [name], **attributes)], op, [],
                                 [helper.make_tensor_value_info(name, TensorProto.FLOAT, None)])
    return g.Neg(g.If(one, then_branch=branch("Squeeze", axes=[1]), else_branch=branch("Identity")))


@graph(13)
def weights_in_bytes(g):
    x = g.input("x", real(1, 3, 6, 6))
    w = g.DequantizeLinear(rng.integers(-128, 128, (8, 3, 3, 3)).astype(np.int8), positive(8) / 64, np.zeros(8, np.int8), axis=0)
    x = g.Relu(g.Conv(x, w, real(8), pads=[1] * 4))
    w = g.Mul(g.Cast(rng.integers(-128, 128, (8, 4)).astype(np.int8), to=TensorProto.FLOAT), np.float32(0.01))
    return g.MatMul(g.Reshape(g.GlobalAveragePool(x), np.array([1, 8])), w)


@graph(10, 13)
def quantized(g):
    def there_and_back(x, scale, zero):
        return g.DequantizeLinear(g.QuantizeLinear(x, np.float32(scale), np.uint8(zero)), np.float32(scale), np.uint8(zero))
    x = there_and_back(g.input("x", real(1, 3, 6, 6)), 0.03, 128)
    w = g.DequantizeLinear(rng.integers(-127, 128, (4, 3, 3, 3)).astype(np.int8), np.float32(0.01), np.int8(0))
    x = there_and_back(g.Relu(g.Conv(x, w, real(4), pads=[1] * 4)), 0.05, 0)
    x = g.Reshape(g.GlobalAveragePool(x), np.array([1, 4]))
    w = g.DequantizeLinear(rng.integers(-127, 128, (4, 5)).astype(np.int8), np.float32(0.02), np.int8(0))
    return g.MatMul(there_and_back(x, 0.04, 3), w)


@graph(11)
def quantized_at_run_time(g):
    x = g.input("x", real(2, 8))
    for cin, cout in ((8, 6), (6, 4)):
        q, scale, zero = g.DynamicQuantizeLinear(x, outputs=3)
        y = g.MatMulInteger(q, rng.integers(0, 256, (cin, cout)).astype(np.uint8), zero, np.uint8(128))
        x = g.Relu(g.Add(g.Mul(g.Cast(y, to=TensorProto.FLOAT), g.Mul(scale, np.float32(0.02))), real(cout)))
    return x


@graph(10)
def quantized_operators(g):
    x = g.QuantizeLinear(g.input("x", real(1, 3, 6, 6)), np.float32(0.03), np.uint8(128))
    w = rng.integers(-63, 64, (4, 3, 3, 3)).astype(np.int8)  # sums of two do not overflow in ONNX Runtime
    x = g.QLinearConv(x, np.float32(0.03), np.uint8(128), w, np.float32([0.01, 0.02, 0.01, 0.005]), np.zeros(4, np.int8),
                      np.float32(0.2), np.uint8(100), rng.integers(-1000, 1000, 4).astype(np.int32), pads=[1] * 4)
    x = g.Reshape(g.QLinearConv(x, np.float32(0.2), np.uint8(100), rng.integers(-63, 64, (2, 4, 1, 1)).astype(np.int8), np.float32(0.02),
                                np.int8(0), np.float32(0.3), np.uint8(128)), np.array([1, -1]))
    x = g.QLinearMatMul(x, np.float32(0.3), np.uint8(128), rng.integers(-63, 64, (72, 5)).astype(np.int8), np.float32(0.02), np.int8(0),
                        np.float32(1), np.uint8(128))
    return g.DequantizeLinear(x, np.float32(1), np.uint8(128))


if __name__ == "__main__":
    archive.write(sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "graphs.npz"), cases)
