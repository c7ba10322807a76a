#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes lifelike.npz: small models as one meets them, each with what is unusual in its kind, and what ONNX Runtime makes of it.

python3 tests/data/onnx/make_lifelike.py [file]; needs and was made with what make_graphs.py says.  With --models FOLDER, writes
each as FOLDER/NAME.onnx instead, for tests/compare_onnxruntime.py, which runs them at other batch and image sizes as well."""
import os
import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper

import archive
import make_graphs
from make_graphs import graph, positive, real

make_graphs.cases.clear()
BIG = 2 ** 63 - 1
NONE = np.zeros(0, np.float32)


def whole(low, high, *shape, dtype=np.int64):
    return make_graphs.rng.integers(low, high, shape).astype(dtype)


def grid(g, x, channels):
    """Places of an image's pixels, 1 x 1 x H x W x 2, from its shape."""
    h, w = (g.Range(np.int64(0), g.Gather(g.Shape(x), np.int64(axis)), np.int64(1)) for axis in (2, 3))
    size = g.Concat(g.size(x, 2), g.size(x, 3), axis=0)
    rows = g.Expand(g.unsqueeze(h, 1), size)
    columns = g.Expand(g.unsqueeze(w, 0), size)
    places = g.Concat(g.unsqueeze(columns, 2), g.unsqueeze(rows, 2), axis=2)
    return g.Cast(g.unsqueeze(places, *range(channels)), to=TensorProto.FLOAT)


def infos(*names):
    return [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names]


# -- Detection --


@graph(9, 11, 13)
def yolo_v3(g):
    """Two heads; what is finer is concatenated with what was enlarged."""
    x = g.input("images", real(1, 3, 16, 24), ["N", 3, "H", "W"])
    a = g.LeakyRelu(g.norm(g.conv(x, 3, 8, 3, 2, bias=False), 8), alpha=0.1)
    b = g.LeakyRelu(g.norm(g.conv(a, 8, 8, 3, 2, bias=False), 8), alpha=0.1)
    c = g.MaxPool(g.Pad(b, np.array([0, 0, 0, 0, 0, 0, 1, 1]), np.float32(-1e4)) if g.opset >= 11 else
                  g.Pad(b, pads=[0, 0, 0, 0, 0, 0, 1, 1], value=-1e4), kernel_shape=[2, 2], strides=[1, 1])
    scales = np.array([1, 1, 2, 2], np.float32)
    if g.opset < 10:
        up = g.Upsample(c, scales, mode="nearest")
    else:
        up = g.Resize(c, NONE if g.opset < 13 else None, scales, mode="nearest", coordinate_transformation_mode="asymmetric",
                      nearest_mode="floor")
    fine = g.conv(g.Concat(up, a, axis=1), 16, 14, 1)
    coarse = g.conv(c, 8, 14, 1)
    found = []
    for y, stride in ((coarse, 4), (fine, 2)):
        h, w = g.size(y, 2), g.size(y, 3)
        y = g.Transpose(g.view(y, g.size(y, 0), 2, 7, h, w), perm=[0, 1, 3, 4, 2])
        xy, wh, rest = g.slice(y, 0, 2, 4), g.slice(y, 2, 4, 4), g.slice(y, 4, BIG, 4)
        xy = g.Mul(g.Add(g.Sigmoid(xy), real(1, 1, 1, 1, 2) if g.opset < 11 else grid(g, c if stride == 4 else fine, 2)),
                   np.float32(stride))
        wh = g.Mul(g.Exp(wh), positive(1, 2, 1, 1, 2))
        found.append(g.Reshape(g.Concat(xy, wh, g.Sigmoid(rest), axis=-1), np.array([0, -1, 7])))
    return g.Concat(*found, axis=1)


@graph(12, 17)
def yolo_v5(g):
    """Focus by steps of two, SiLU, and boxes by (2 sigmoid)^2."""
    x = g.input("images", real(1, 3, 16, 16), ["N", 3, "H", "W"])

    def half(x, first, axis):
        return g.Slice(x, np.array([first]), np.array([BIG]), np.array([axis]), np.array([2]))
    x = g.Concat(*(half(half(x, i, 2), j, 3) for j in (0, 1) for i in (0, 1)), axis=1)

    def conv(x, *sizes):
        y = g.conv(x, *sizes)
        return g.Mul(y, g.Sigmoid(y))
    x = conv(x, 12, 8)
    y = conv(g.Concat(conv(conv(x, 8, 4, 1), 4, 4), conv(x, 8, 4, 1), axis=1), 8, 8, 1)
    pools = [y]
    for _ in range(3):
        pools.append(g.MaxPool(pools[-1], kernel_shape=[5, 5], pads=[2] * 4, strides=[1, 1]))
    y = g.conv(conv(g.Concat(*pools, axis=1), 32, 8, 1), 8, 21, 1)
    n, h, w = g.size(y, 0), g.size(y, 2), g.size(y, 3)
    z = g.Sigmoid(g.Transpose(g.view(y, n, 3, 7, h, w), perm=[0, 1, 3, 4, 2]))
    xy, wh, rest = g.split(z, [2, 2, 3], 4)
    xy = g.Mul(g.Add(g.Sub(g.Mul(xy, np.float32(2)), np.float32(0.5)), grid(g, y, 2)), np.float32(8))
    wh = g.Mul(g.Pow(g.Mul(wh, np.float32(2)), np.float32(2)), positive(1, 3, 1, 1, 2))
    return g.view(g.Concat(xy, wh, rest, axis=4), n, g.Mul(g.Mul(h, w), np.array([3])), 7), y


@graph(11, 16)
def yolo_x(g):
    """Boxes assigned in place: outputs[..., :2] = ..., which PyTorch writes with ScatterND."""
    x = g.input("images", real(1, 3, 8, 8))
    y = g.conv(g.Relu(g.conv(x, 3, 8, 3, 2)), 8, 7, 1)
    y = g.Transpose(g.Reshape(y, np.array([0, 7, -1])), perm=[0, 2, 1])
    places = np.stack(np.meshgrid([0], np.arange(16), [0, 1], indexing="ij"), -1)
    xy = g.Mul(g.Add(g.slice(y, 0, 2, 2), real(1, 16, 2)), np.float32(2))
    y = g.ScatterND(y, places, xy)
    wh = g.Mul(g.Exp(g.slice(y, 2, 4, 2)), np.float32(2))
    y = g.ScatterND(y, places + np.array([0, 0, 2]), wh)
    corners = g.Concat(g.Sub(g.slice(y, 0, 1, 2), g.Div(g.slice(y, 2, 3, 2), np.float32(2))), g.slice(y, 1, BIG, 2), axis=-1)
    score = g.ReduceMax(g.Sigmoid(g.slice(y, 5, BIG, 2)), **({} if g.opset >= 18 else {"axes": [2]}), keepdims=1)
    return corners, g.Mul(score, g.Sigmoid(g.slice(y, 4, 5, 2))), g.ArgMax(g.slice(y, 5, BIG, 2), axis=2, keepdims=1)


@graph(11, 13)
def detector_nms(g):
    """Boxes, the best kept, and what of each: sizes depend on data to the end."""
    x = g.input("boxes", np.abs(real(1, 12, 4)))
    scores = g.Sigmoid(g.input("scores", real(1, 2, 12)))
    corner = g.slice(x, 0, 2, 2)
    x = g.Concat(corner, g.Add(corner, g.slice(x, 2, 4, 2)), axis=2)
    kept = g.NonMaxSuppression(x, scores, np.array([5]), np.array([0.4], np.float32), np.array([0.3], np.float32))
    which = g.squeeze(g.Gather(kept, np.array([2]), axis=1), 1)
    best = g.Gather(g.squeeze(x, 0), which, axis=0)
    flat = g.Add(g.Mul(g.squeeze(g.Gather(kept, np.array([1]), axis=1), 1), np.int64(12)), which)
    score = g.Gather(g.Reshape(scores, np.array([-1])), flat)
    return g.Concat(best, g.unsqueeze(score, 1), axis=1), g.squeeze(g.Gather(kept, np.array([1]), axis=1), 1)


@graph(11)
def best_boxes(g):
    """As many of the best as there are, but 100 at most, as TorchVision's detectors write it."""
    scores = g.Reshape(g.Sigmoid(g.conv(g.input("x", real(1, 3, 5, 5), ["N", 3, "H", "W"]), 3, 2, 1)), np.array([1, -1]))
    n = g.size(scores, 1)
    k = g.Cast(g.ReduceMin(g.Concat(g.Cast(np.array([10]), to=TensorProto.FLOAT), g.Cast(n, to=TensorProto.FLOAT), axis=0), keepdims=1),
               to=TensorProto.INT64)
    values, places = g.TopK(scores, k, outputs=2, axis=1)
    rows = g.Div(places, np.int64(5))
    return values, g.Mod(rows, np.int64(5)), g.Concat(rows, g.Sub(places, g.Mul(rows, np.int64(5))), axis=0)


# -- Reading text --


@graph(9, 13)
def lstm_reader(g):
    """Images to columns to a bidirectional LSTM of two layers, with lengths and first states."""
    x = g.input("image", real(2, 1, 8, 20), ["N", 1, 8, "W"])
    x = g.MaxPool(g.Relu(g.norm(g.conv(x, 1, 6), 6)), kernel_shape=[2, 2], strides=[2, 1], pads=[0, 0, 0, 1])
    x = g.AveragePool(x, kernel_shape=[4, 1], strides=[4, 1])
    x = g.Transpose(g.squeeze(x, 2), perm=[2, 0, 1])
    for width in (6, 10):
        zero = g.ConstantOfShape(g.Concat(np.array([2]), g.size(x, 1), np.array([5]), axis=0),
                                 value=numpy_helper.from_array(np.zeros(1, np.float32)))
        y = g.LSTM(x, real(2, 20, width), real(2, 20, 5), real(2, 40), None, zero, zero, outputs=3, hidden_size=5,
                   direction="bidirectional")[0]
        x = g.Reshape(g.Transpose(y, perm=[0, 2, 1, 3]), np.array([0, 0, -1]))
    x = g.Transpose(g.linear(x, 10, 7), perm=[1, 0, 2])
    return g.Softmax(x, axis=2) if g.opset >= 13 else g.LogSoftmax(g.Reshape(x, np.array([-1, 7])), axis=1)


@graph(11, 14)
def gru_reader(g):
    """Lengths of lines as an input; the second backwards."""
    x = g.input("x", real(6, 3, 4), ["T", 3, 4])
    lengths = g.input("lengths", np.array([6, 3, 1], np.int32))
    y, h = g.GRU(x, real(1, 15, 4), real(1, 15, 5), real(1, 30), lengths, outputs=2, hidden_size=5, linear_before_reset=0)
    z, k = g.GRU(g.squeeze(y, 1), real(1, 12, 5), real(1, 12, 4), None, lengths, real(1, 3, 4), outputs=2, hidden_size=4,
                 linear_before_reset=1, direction="reverse")
    return g.squeeze(z, 1), h, k


@graph(9)
def attention_reader(g):
    """One step of a decoder: states in and out, the last symbol by number."""
    features = g.input("features", real(1, 7, 6), [1, "T", 6])
    state = g.input("state", real(1, 6))
    symbol = g.input("symbol", np.array([3]))
    e = g.Gather(real(9, 4), symbol)
    query = g.unsqueeze(g.linear(state, 6, 6), 1)
    weight = g.linear(g.Tanh(g.Add(features, query)), 6, 1)
    weight = g.Softmax(g.squeeze(weight, 2), axis=1)
    context = g.squeeze(g.MatMul(g.unsqueeze(weight, 1), features), 1)
    _, h = g.GRU(g.unsqueeze(g.Concat(e, context, axis=1), 0), real(1, 18, 10), real(1, 18, 6), real(1, 36), None,
                 g.unsqueeze(state, 0), outputs=2, hidden_size=6)
    h = g.squeeze(h, 0)
    y = g.Gemm(h, real(9, 6), real(9), transB=1, alpha=0.5, beta=2.0)
    return y, h, weight, g.ArgMax(y, axis=1, keepdims=0)


# -- Transformers --


@graph(12)
def bert_mask(g):
    """Words by number, a mask of whole numbers, (1 - mask) * -10000."""
    ids = g.input("input_ids", whole(0, 11, 2, 5), ["N", "T"])
    mask = g.input("attention_mask", np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]), ["N", "T"])
    kinds = g.input("token_type_ids", whole(0, 2, 2, 5), ["N", "T"])
    places = g.Slice(np.arange(8).reshape(1, 8), np.array([0]), g.size(ids, 1), np.array([1]), np.array([1]))
    x = g.Add(g.Add(g.Gather(real(11, 8), ids), g.Gather(real(2, 8), kinds)), g.Gather(real(8, 8), places))
    bias = g.Mul(g.Sub(np.float32(1), g.Cast(g.unsqueeze(g.unsqueeze(mask, 1), 2), to=TensorProto.FLOAT)), np.float32(-10000))
    x = g.layer_norm(x, 8)
    x = g.layer_norm(g.Add(x, g.attention(x, 8, 2, bias)), 8)
    x = g.layer_norm(g.Add(x, g.linear(g.gelu(g.linear(x, 8, 16)), 16, 8)), 8)
    first = g.Gather(x, np.int64(0), axis=1)
    return x, g.Tanh(g.Gemm(first, real(8, 8), real(8), transB=1))


@graph(11, 14)
def gpt_cache(g):
    """Keys and values that were, and a causal mask cut out of a large one."""
    x = g.input("x", real(1, 3, 8), ["N", "T", 8])
    past = [g.input(name, real(1, 2, 4, 4), ["N", 2, "P", 4]) for name in ("past.key", "past.value")]
    q, k, v = g.split(g.linear(g.layer_norm(x, 8), 8, 24), [8, 8, 8], 2)
    q, k, v = (g.Transpose(g.view(y, g.size(y, 0), g.size(y, 1), 2, 4), perm=[0, 2, 1, 3]) for y in (q, k, v))
    k, v = g.Concat(past[0], k, axis=-2), g.Concat(past[1], v, axis=-2)
    scores = g.Div(g.MatMul(q, g.Transpose(k, perm=[0, 1, 3, 2])), g.Sqrt(np.float32(4)))
    total, new = g.size(k, 2), g.size(q, 2)
    seen = np.tril(np.ones((16, 16), np.uint8)).reshape(1, 1, 16, 16)
    seen = g.Slice(g.Slice(seen, g.Sub(total, new), total, np.array([2]), np.array([1])), np.array([0]), total, np.array([3]),
                   np.array([1]))
    scores = g.Where(g.Cast(seen, to=TensorProto.BOOL), scores, np.float32(-3.4028235e38))
    y = g.Transpose(g.MatMul(g.Softmax(scores, axis=3), v), perm=[0, 2, 1, 3])
    y = g.Add(x, g.linear(g.view(y, g.size(y, 0), g.size(y, 1), -1), 8, 8))
    y = g.Add(y, g.linear(g.gelu_tanh(g.linear(g.layer_norm(y, 8), 8, 16)), 16, 8))
    return g.MatMul(g.layer_norm(y, 8), real(8, 11)), k, v


@graph(17)
def llama(g):
    """Rotary places, a key for two queries, RMS norms, and gates."""
    x = g.Gather(real(11, 8), g.input("input_ids", whole(0, 11, 1, 5), ["N", "T"]))

    def rms(x):
        y = g.Mul(x, g.Reciprocal(g.Sqrt(g.Add(g.mean(g.Pow(x, np.float32(2)), -1), np.float32(1e-6)))))
        return g.Mul(positive(8), y)
    y = rms(x)
    places = g.Cast(g.Range(np.int64(0), g.Gather(g.Shape(x), np.int64(1)), np.int64(1)), to=TensorProto.FLOAT)
    angle = g.Mul(g.unsqueeze(places, 1), np.array([[1, 0.1]], np.float32))
    angle = g.unsqueeze(g.Concat(angle, angle, axis=-1), 0, 1)

    def rotated(x):
        turned = g.Concat(g.Neg(g.slice(x, 2, BIG, 3)), g.slice(x, 0, 2, 3), axis=-1)
        return g.Add(g.Mul(x, g.Cos(angle)), g.Mul(turned, g.Sin(angle)))

    def heads(x, n):
        return g.Transpose(g.Reshape(g.MatMul(x, real(8, 4 * n) / np.float32(2)), np.array([0, 0, n, 4])), perm=[0, 2, 1, 3])

    def repeated(x):
        size = g.Concat(g.size(x, 0), np.array([1, 2]), g.size(x, 2), np.array([4]), axis=0)
        return g.Reshape(g.Expand(g.unsqueeze(x, 2), size), np.array([0, 2, -1, 4]))
    q, k, v = rotated(heads(y, 2)), repeated(rotated(heads(y, 1))), repeated(heads(y, 1))
    scores = g.Mul(g.MatMul(q, g.Transpose(k, perm=[0, 1, 3, 2])), np.float32(0.5))
    n = g.Shape(x, start=1, end=2)
    later = g.Trilu(g.Expand(np.full((1, 1), -np.inf, np.float32), g.Concat(n, n, axis=0)), np.int64(1), upper=1)
    y = g.MatMul(g.Softmax(g.Add(scores, later), axis=-1), v)
    x = g.Add(x, g.MatMul(g.Reshape(g.Transpose(y, perm=[0, 2, 1, 3]), np.array([0, 0, -1])), real(8, 8)))
    y = rms(x)
    gate = g.MatMul(y, real(8, 12))
    y = g.MatMul(g.Mul(g.Mul(gate, g.Sigmoid(gate)), g.MatMul(y, real(8, 12))), real(12, 8))
    return g.MatMul(rms(g.Add(x, y)), real(8, 11))


@graph(13)
def t5_buckets(g):
    """Relative places in buckets: logarithms, minima and tables, of shapes only."""
    x = g.input("x", real(1, 6, 8), ["N", "T", 8])
    n = g.Gather(g.Shape(x), np.int64(1))
    places = g.Range(np.int64(0), n, np.int64(1))
    far = g.Sub(g.unsqueeze(places, 0), g.unsqueeze(places, 1))
    right = g.Mul(g.Cast(g.Greater(far, np.int64(0)), to=TensorProto.INT64), np.int64(4))
    far = g.Abs(far)
    log = g.Div(g.Log(g.Div(g.Cast(g.Max(far, np.int64(1)), to=TensorProto.FLOAT), np.float32(2))), np.float32(np.log(4)))
    log = g.Add(np.int64(2), g.Cast(g.Mul(log, np.float32(2)), to=TensorProto.INT64))
    log = g.Min(log, np.int64(3))
    bucket = g.Add(right, g.Where(g.Less(far, np.int64(2)), far, log))
    bias = g.unsqueeze(g.Transpose(g.Gather(real(8, 2), bucket), perm=[2, 0, 1]), 0)
    return g.attention(x, 8, 2, bias), bias


@graph(13)
def lone_masks(g):
    """Rows of which nothing may be seen: a softmax of equal numbers, and booleans in and out."""
    x = g.input("x", real(2, 4, 8), ["N", "T", 8])
    padding = g.input("key_padding_mask", np.array([[False, False, True, True], [True, True, True, True]]), ["N", "T"])
    masked = g.Or(g.unsqueeze(padding, 1), g.Not(np.tril(np.ones((1, 4, 4), bool))))
    scores = g.MatMul(g.linear(x, 8, 8), g.Transpose(g.linear(x, 8, 8), perm=[0, 2, 1]))
    scores = g.Where(masked, np.float32(-1e9), scores)
    weight = g.Softmax(scores)
    return g.MatMul(g.Where(masked, np.float32(0), weight), x), masked, g.Xor(masked, g.unsqueeze(padding, 1))


# -- Images --


@graph(11, 14)
def odd_unet(g):
    """Odd sizes: transposed convolutions in groups, with output_padding; what is larger is cut by shapes."""
    x = g.input("x", real(1, 2, 13, 11), ["N", 2, "H", "W"])
    a = g.Relu(g.conv(x, 2, 4))
    b = g.Relu(g.conv(a, 4, 8, 3, 2))
    c = g.Relu(g.conv(b, 8, 8, 3, 2))
    y = g.ConvTranspose(c, real(8, 4, 3, 3) / np.float32(2), real(8), strides=[2, 2], pads=[1] * 4, output_padding=[1, 1], group=2)
    y = g.Slice(y, np.array([0, 0]), g.Concat(g.size(b, 2), g.size(b, 3), axis=0), np.array([2, 3]))
    y = g.Relu(g.Add(y, b))
    y = g.ConvTranspose(y, real(8, 4, 4, 3) / np.float32(2), strides=[2, 2], pads=[1, 0, 1, 1])
    y = g.Slice(y, np.array([0, 0]), g.Concat(g.size(a, 2), g.size(a, 3), axis=0), np.array([-2, -1]))
    return g.Tanh(g.conv(g.Concat(y, a, axis=1), 8, 1))


@graph(7, 11)
def odd_depthwise(g):
    """Strides, dilations and borders that differ in height and width; two outputs of each channel."""
    x = g.input("x", real(2, 4, 15, 14), ["N", 4, "H", "W"])
    y = g.Conv(x, real(8, 1, 5, 3), real(8), group=4, strides=[3, 2], pads=[2, 0, 1, 2])
    z = g.Conv(y, real(8, 1, 3, 3), group=8, dilations=[1, 2], pads=[1, 2, 1, 2])
    z = g.clip(z, 0, 6)
    return g.Conv(g.Add(y, z), real(4, 4, 1, 3), real(4), group=2, strides=[1, 2]), z


@graph(9, 12)
def same_pads(g):
    """Borders left to the reader, above and below, of windows and of convolutions."""
    x = g.input("x", real(1, 3, 10, 7), [1, 3, "H", "W"])
    a = g.Conv(x, real(4, 3, 4, 3), auto_pad="SAME_LOWER", strides=[2, 2])
    b = g.MaxPool(a, kernel_shape=[2, 3], auto_pad="SAME_UPPER", strides=[2, 1])
    c = g.AveragePool(a, kernel_shape=[2, 3], auto_pad="SAME_LOWER", strides=[2, 1])
    d = g.AveragePool(a, kernel_shape=[3, 2], pads=[1, 0, 1, 1], strides=[2, 1], count_include_pad=1)
    return g.Concat(b, c, d, axis=1), g.GlobalMaxPool(g.LeakyRelu(c))


@graph(9)
def initializers_are_inputs(g):
    """IR 3: all weights, and a shape, among the inputs, and nothing but them in a stretch of the graph."""
    x = g.input("data_0", real(1, 3, 6, 6))
    x = g.Relu(g.norm(g.conv(x, 3, 4), 4))
    w = g.Mul(real(4, 4), positive(1))
    x = g.Reshape(g.AveragePool(x, kernel_shape=[6, 6]), np.array([1, 4]))
    x = g.Gemm(x, w, real(4), transB=1)
    g.infos += [helper.make_tensor_value_info(t.name, t.data_type, t.dims) for t in g.constants]
    g.ir = 3
    return g.Softmax(x, axis=1)


@graph(13)
def strange_names(g):
    """Names with spaces, quotes, slashes, percents and letters of other scripts; nodes without names."""
    x = g.input('in put/0:0 "x" %s %n', real(1, 3, 6, 6))
    y = g.Relu(g.conv(x, 3, 4))
    z = g.conv(y, 4, 4)
    g.nodes[-1].output[0] = z = "Ausgänge/画像:0\\n'../../x'"
    for node in g.nodes:
        node.name = ""
    return z, g.GlobalAveragePool(z)


@graph(7, 12)
def outputs_unused(g):
    """Masks of dropouts, places of maxima, hidden states: named, and read by nobody; and an input that is not read."""
    x = g.input("x", real(1, 3, 8, 8))
    g.input("not_read", real(2))
    y = g.MaxPool(g.conv(x, 3, 4), kernel_shape=[2, 2], strides=[2, 2], outputs=2)[0] if g.opset >= 8 else \
        g.MaxPool(g.conv(x, 3, 4), kernel_shape=[2, 2], strides=[2, 2])
    y = g.Dropout(y, outputs=2)[0]
    g.Exp(y)
    y = g.Reshape(g.Transpose(y, perm=[2, 0, 3, 1]), np.array([4, 4, 4]))
    y, h, c = g.LSTM(y, real(1, 12, 4), real(1, 12, 3), outputs=3, hidden_size=3)
    g.nodes[-1].output[0] = g.nodes[-1].output[2] = ""
    return g.Identity(h), x, g.Mul(h, h)


@graph(11, 19)
def empty_inputs(g):
    """Inputs that are left out in the middle: names of no letters."""
    x = g.input("x", real(2, 3, 6, 5))
    y = g.Clip(x, None, np.float32(0.5))
    y = g.Clip(y, np.float32(-1))
    y = g.Slice(y, np.array([0, 1]), np.array([2, 3]), None, np.array([1, 1]))
    y = g.Resize(y, NONE if g.opset < 13 else None, NONE if g.opset < 13 else None, np.array([2, 2, 9, 7]), mode="linear")
    y = g.Pad(y, np.array([0, 0, 1, 0, 0, 0, 0, 2]), None)
    z = g.Reshape(y, np.array([2, 20, 9]))
    z = g.LSTM(z, real(1, 16, 9), real(1, 16, 4), None, None, None, real(1, 20, 4), real(1, 12), outputs=3, hidden_size=4)
    return y, z[0], z[2]


@graph(13)
def halves(g):
    """Weights in f16, computed in f32 behind a Cast; an input and an output in f16."""
    x = g.Cast(g.input("x", real(1, 3, 6, 6).astype(np.float16)), to=TensorProto.FLOAT)
    w, b = (g.Cast(y.astype(np.float16), to=TensorProto.FLOAT) for y in (real(4, 3, 3, 3), real(4)))
    y = g.Relu(g.Conv(x, w, b, pads=[1] * 4))
    y = g.MatMul(g.Flatten(g.GlobalAveragePool(y)), g.Cast(g.const(real(4, 5).astype(np.float16)), to=TensorProto.FLOAT))
    return g.Cast(y, to=TensorProto.FLOAT16), y


@graph(11)
def bytes_of_images(g):
    """An image as it is stored, N x H x W x 3 in bytes, to numbers around 0; and to bytes again."""
    x = g.input("image", whole(0, 256, 1, 9, 8, 3, dtype=np.uint8), ["N", "H", "W", 3])
    y = g.Cast(x, to=TensorProto.FLOAT)
    y = g.Div(g.Sub(g.Div(y, np.float32(255)), np.array([0.5, 0.25, 0.375], np.float32)), np.array([0.25, 0.5, 0.25], np.float32))
    y = g.Relu(g.conv(g.Transpose(y, perm=[0, 3, 1, 2]), 3, 4, 3, 2))
    y = g.Resize(g.conv(y, 4, 3), NONE, np.array([1, 1, 2, 2], np.float32), mode="cubic", cubic_coeff_a=-0.75,
                 coordinate_transformation_mode="half_pixel")
    y = g.clip(g.Add(g.Mul(g.Tanh(y), np.float32(100)), np.float32(200)), 0, 255)
    return g.Cast(g.Transpose(g.Floor(g.Add(y, np.float32(0.5))), perm=[0, 2, 3, 1]), to=TensorProto.UINT8), y


@graph(10, 13)
def int8_inputs(g):
    """Numbers of one byte with a sign, by an operator or by a Cast, and shifted by hand."""
    x = g.input("x", whole(-128, 128, 1, 3, 5, 5, dtype=np.int8))
    y = g.DequantizeLinear(x, np.float32(0.02), np.int8(-3))
    z = g.Mul(g.Sub(g.Cast(x, to=TensorProto.FLOAT), np.float32(-3)), np.float32(0.02))
    return g.conv(y, 3, 4), g.conv(z, 3, 4), g.Cast(g.Sub(g.Cast(x, to=TensorProto.INT32), np.int32(1)), to=TensorProto.INT8)


@graph(13)
def quantized_pairs(g):
    """A residual block quantized by pairs: weights by channel, biases in 32 bits, and pairs around all that is between."""
    def pair(x, scale, zero=np.uint8(128)):
        return g.DequantizeLinear(g.QuantizeLinear(x, np.float32(scale), zero), np.float32(scale), zero)

    def conv(x, scale, cin, cout, k):
        w = positive(cout) / 64
        weights = g.DequantizeLinear(whole(-127, 128, cout, cin, k, k, dtype=np.int8), w, np.zeros(cout, np.int8), axis=0)
        bias = g.DequantizeLinear(whole(-1000, 1000, cout, dtype=np.int32), (w * np.float32(scale)).astype(np.float32),
                                  np.zeros(cout, np.int32), axis=0)
        return g.Conv(x, weights, bias, pads=[k // 2] * 4)
    x = pair(g.input("x", real(1, 3, 6, 6), ["N", 3, "H", "W"]), 0.03)
    x = pair(g.Relu(conv(x, 0.03, 3, 4, 3)), 0.1, np.uint8(0))
    y = pair(conv(x, 0.1, 4, 4, 1), 0.3)
    x = pair(g.Relu(g.Add(x, y)), 0.2, np.uint8(0))
    x = pair(g.MaxPool(x, kernel_shape=[2, 2], strides=[2, 2]), 0.2, np.uint8(0))
    x = pair(g.Concat(x, pair(g.Sigmoid(x), 1 / 256, np.uint8(0)), axis=1), 0.2, np.uint8(0))
    return pair(g.GlobalAveragePool(x), 0.15, np.uint8(0)), x


@graph(12)
def segmenter(g):
    """Classes of pixels by number, and as masks, at the size of the image."""
    x = g.input("x", real(1, 3, 10, 12), ["N", 3, "H", "W"])
    y = g.Relu(g.norm(g.conv(x, 3, 8, 3, 2, bias=False), 8))
    y = g.conv(g.Add(y, g.conv(y, 8, 8, 3, 1, 8, dilations=[2, 2], pads=[2] * 4)), 8, 4, 1)
    size = g.Cast(g.Concat(g.size(x, 2), g.size(x, 3), axis=0), to=TensorProto.INT64)
    size = g.Concat(g.slice(g.Shape(y), 0, 2, 0), size, axis=0)
    y = g.Resize(y, NONE, NONE, size, mode="linear", coordinate_transformation_mode="pytorch_half_pixel")
    which = g.ArgMax(y, axis=1, keepdims=0)
    masks = g.OneHot(which, np.array(4), np.array([0, 1], np.float32), axis=1)
    return which, g.Mul(masks, g.Softmax(y, axis=1) if g.opset >= 13 else g.Sigmoid(y)), g.ReduceSum(masks, axes=[2, 3], keepdims=0)


@graph(16)
def warped(g):
    """A grid from a small net, as spatial transformers have it, and pixels that come from between others."""
    x = g.input("x", real(1, 2, 7, 6))
    theta = g.linear(g.Flatten(g.AveragePool(g.conv(x, 2, 2, 3, 2), kernel_shape=[4, 3])), 2, 6)
    theta = g.Mul(g.Reshape(g.Tanh(theta), np.array([-1, 2, 3])), np.float32(0.75))
    ys, xs = np.meshgrid(np.linspace(-1, 1, 7), np.linspace(-1, 1, 6), indexing="ij")
    base = np.stack([xs, ys, np.ones_like(xs)], -1).reshape(1, 42, 3).astype(np.float32)
    places = g.Reshape(g.MatMul(base, g.Transpose(theta, perm=[0, 2, 1])), np.array([1, 7, 6, 2]))
    return g.GridSample(x, places, align_corners=1, padding_mode="border"), g.GridSample(x, places, mode="nearest")


@graph(9, 13)
def diffusion_step(g):
    """A time as a whole number to waves of it; group norms by way of instance norms."""
    x = g.input("sample", real(1, 4, 6, 6), ["N", 4, "H", "W"])
    t = g.Cast(g.unsqueeze(g.input("timestep", np.array([37])), 1), to=TensorProto.FLOAT)
    angle = g.Mul(t, np.exp(-np.arange(4, dtype=np.float32))[None])
    e = g.Concat(g.Sin(angle), g.Cos(angle), axis=-1)
    e = g.Gemm(e, real(8, 8), real(8), transB=1)
    e = g.Gemm(g.Mul(e, g.Sigmoid(e)), real(8, 8), real(8), transB=1)
    y = g.conv(x, 4, 8)
    z = g.InstanceNormalization(g.Reshape(y, np.array([0, 2, -1])), np.ones(2, np.float32), np.zeros(2, np.float32), epsilon=1e-6)
    z = g.Add(g.Mul(g.Reshape(z, g.Shape(y)), positive(8, 1, 1)), real(8, 1, 1))
    z = g.Add(g.conv(g.Mul(z, g.Sigmoid(z)), 8, 8), g.unsqueeze(g.unsqueeze(e, 2), 3))
    return g.conv(g.Add(y, z), 8, 4)


@graph(11)
def codebook(g):
    """The nearest of a list by distances, and what is there."""
    x = g.conv(g.input("x", real(1, 3, 6, 6), ["N", 3, "H", "W"]), 3, 4, 3, 2)
    flat = g.Reshape(g.Transpose(x, perm=[0, 2, 3, 1]), np.array([-1, 4]))
    words = real(9, 4)
    far = g.Sub(g.Add(g.ReduceSum(g.Pow(flat, np.float32(2)), axes=[1], keepdims=1), (words ** 2).sum(1)),
                g.Mul(g.MatMul(flat, words.T.copy()), np.float32(2)))
    which = g.ArgMin(far, axis=1, keepdims=0)
    y = g.Reshape(g.Gather(words, which), g.Concat(g.size(x, 0), g.size(x, 2), g.size(x, 3), np.array([4]), axis=0))
    return g.Transpose(y, perm=[0, 3, 1, 2]), which


# -- Sound --


@graph(9, 13)
def wavenet(g):
    """Dilated convolutions of the past, gates, sums of what skips, and back up to samples."""
    x = g.input("mel", real(1, 4, 9), [1, 4, "T"])
    x = g.ConvTranspose(x, real(4, 4, 6), real(4), strides=[3], pads=[2, 1], output_padding=[1])
    total = None
    for d in (1, 2, 4):
        border = [0, 0, 2 * d, 0, 0, 0]
        y = g.Pad(x, np.array(border)) if g.opset >= 11 else g.Pad(x, pads=border)
        y = g.Conv(y, real(8, 4, 3) / np.float32(2), real(8), dilations=[d])
        y = g.Mul(g.Tanh(g.slice(y, 0, 4, 1)), g.Sigmoid(g.slice(y, 4, 8, 1)))
        skip = g.Conv(y, real(6, 4, 1), real(6))
        total = g.Add(total, skip) if total else skip
        x = g.Mul(g.Add(x, g.Conv(y, real(4, 4, 1), real(4))), np.float32(0.5 ** 0.5))
    y = g.Conv(g.Relu(total), real(2, 6, 1), real(2), kernel_shape=[1])
    return g.squeeze(g.slice(y, 0, 1, 1), 1), g.clip(g.slice(y, 1, 2, 1), -7, 2)


@graph(13)
def frames(g):
    """Windows of a wave by numbers made of its length; energies, and deltas by a convolution in groups."""
    x = g.input("wave", real(2, 50), ["N", "T"])
    n = g.Gather(g.Shape(x), np.int64(1))
    count = g.Add(g.Div(g.Sub(n, np.int64(8)), np.int64(4)), np.int64(1))
    starts = g.Mul(g.Range(np.int64(0), count, np.int64(1)), np.int64(4))
    y = g.Gather(x, g.Add(g.unsqueeze(starts, 1), np.arange(8)[None]), axis=1)
    y = g.Sub(y, g.mean(y, 2))
    y = g.Mul(y, np.hanning(8).astype(np.float32))
    re, im = (g.MatMul(y, part(2j * np.pi * np.outer(np.arange(8), np.arange(5)) / 8)) for part in
              (lambda z: np.exp(z).real.astype(np.float32), lambda z: np.exp(z).imag.astype(np.float32)))
    power = g.Add(g.Mul(re, re), g.Mul(im, im))
    log = g.Log(g.Max(g.MatMul(power, np.abs(real(5, 4))), np.float32(1e-3)))
    log = g.Div(g.Sub(log, g.mean(log, 1)), g.Add(g.Sqrt(g.mean(g.Pow(g.Sub(log, g.mean(log, 1)), np.float32(2)), 1)), np.float32(1e-5)))
    y = g.Transpose(log, perm=[0, 2, 1])
    return g.Conv(y, real(4, 1, 3), pads=[1, 1], group=4), g.Relu(g.Conv(y, real(6, 4, 5), real(6), strides=[2], pads=[2, 1]))


@graph(15)
def enhancer(g):
    """Speech with states: convolutions of channels by time, a GRU, a mask; the phase kept."""
    x = g.input("spectrum", real(1, 9, 6, 2), [1, 9, "T", 2])
    h = g.input("h0", real(1, 1, 8))
    size = g.Sqrt(g.Add(g.ReduceSum(g.Mul(x, x), np.array([3]), keepdims=0), np.float32(1e-9)))
    y = g.Transpose(g.Pow(size, np.float32(0.5)), perm=[2, 0, 1])
    y, h = g.GRU(y, real(1, 24, 9), real(1, 24, 8), real(1, 48), None, h, outputs=2, hidden_size=8, linear_before_reset=1)
    mask = g.Sigmoid(g.linear(g.squeeze(y, 1), 8, 9))
    mask = g.Transpose(mask, perm=[1, 2, 0])
    return g.Mul(x, g.unsqueeze(mask, 3)), h


# -- Control --


@graph(11, 13)
def nested_if(g):
    """A branch by shapes and another by data, one within the other, reading what is outside."""
    x = g.input("x", real(2, 6), ["N", 6])
    y = g.linear(x, 6, 4)
    wide = g.Greater(g.Cast(g.Gather(g.Shape(y), np.int64(1)), to=TensorProto.INT32), np.int32(3))
    total = g.ReduceSum(y, keepdims=0)
    large = g.Greater(total, np.float32(0))

    def body(name, nodes, out):
        return helper.make_graph(nodes, name, [], infos(out))
    inner = helper.make_node("If", [large], ["inner"], then_branch=body("positive", [helper.make_node("Relu", [y], ["p"])], "p"),
                             else_branch=body("negative", [helper.make_node("Neg", [y], ["q"])], "q"))
    z = g.If(wide, then_branch=body("wide", [inner, helper.make_node("Add", ["inner", y], ["sum"])], "sum"),
             else_branch=body("narrow", [helper.make_node("Identity", [x], ["same"])], "same"))
    return g.Sigmoid(z), large


@graph(13)
def loop_of_three(g):
    """Rounds that are counted, a state that is carried, and what each round leaves."""
    x, state = g.input("x", real(3, 2, 4)), g.input("state", real(2, 4))
    w = g.constant(real(4, 4) / np.float32(2))
    body = helper.make_graph(
        [helper.make_node("Gather", [x, "i"], ["row"], axis=0), helper.make_node("MatMul", ["s", w], ["moved"]),
         helper.make_node("Add", ["moved", "row"], ["sum"]), helper.make_node("Tanh", ["sum"], ["next"]),
         helper.make_node("Identity", ["go"], ["on"]), helper.make_node("ReduceMax", ["next"], ["most"], axes=[1], keepdims=0)],
        "body", [helper.make_tensor_value_info("i", TensorProto.INT64, []), helper.make_tensor_value_info("go", TensorProto.BOOL, []),
                 helper.make_tensor_value_info("s", TensorProto.FLOAT, [2, 4])],
        [helper.make_tensor_value_info("on", TensorProto.BOOL, [])] + infos("next", "most"))
    return g.Loop(g.Gather(g.Shape(x), np.int64(0)), np.array(True), state, outputs=2, body=body)


@graph(11)
def scan_of_steps(g):
    """Viterbi's forward pass: the best before each label."""
    x = g.input("x", real(5, 3), ["T", 3])
    moves = g.constant(real(3, 3))
    body = helper.make_graph(
        [helper.make_node("Unsqueeze", ["s"], ["column"], axes=[1]), helper.make_node("Add", ["column", moves], ["all"]),
         helper.make_node("ReduceMax", ["all"], ["best"], axes=[0], keepdims=0),
         helper.make_node("ArgMax", ["all"], ["from"], axis=0, keepdims=0), helper.make_node("Add", ["best", "row"], ["next"])],
        "step", [helper.make_tensor_value_info(n, TensorProto.FLOAT, [3]) for n in ("s", "row")],
        infos("next") + [helper.make_tensor_value_info("from", TensorProto.INT64, [3])])
    return g.Scan(np.zeros(3, np.float32), x, outputs=2, body=body, num_scan_inputs=1)


@graph(13, 18)
def graph_network(g):
    """Messages along edges, summed where they arrive."""
    x = g.input("nodes", real(5, 4), ["V", 4])
    edges = g.input("edges", whole(0, 5, 2, 7), [2, "E"])
    source, target = g.Gather(edges, np.int64(0)), g.Gather(edges, np.int64(1))
    message = g.Relu(g.linear(g.Concat(g.Gather(x, source), g.Gather(x, target), axis=1), 8, 4))
    zero = g.ConstantOfShape(g.Shape(x))
    where = g.Expand(g.unsqueeze(target, 1), g.Shape(message))
    if g.opset >= 16:
        total = g.ScatterElements(zero, where, message, axis=0, reduction="add")
    else:
        ones = g.OneHot(target, g.Gather(g.Shape(x), np.int64(0)), np.array([0, 1], np.float32), axis=0)
        total = g.MatMul(ones, message)
    return g.Add(x, total)


@graph(12)
def beam_step(g):
    """The best of all continuations: whole divisions and remainders, and states that change places."""
    scores = g.input("scores", real(2, 6))
    before = g.input("before", real(2, 1))
    states = g.input("states", real(2, 3))
    total = g.Add(g.LogSoftmax(scores, axis=1), before)
    values, which = g.TopK(g.Reshape(total, np.array([-1])), np.array([2]), outputs=2, axis=0, largest=1, sorted=1)
    beam, word = g.Div(which, np.int64(6)), g.Mod(which, np.int64(6))
    return values, g.Cast(word, to=TensorProto.INT32), g.Gather(states, beam), g.GatherND(scores, g.Concat(
        g.unsqueeze(beam, 1), g.unsqueeze(word, 1), axis=1)), g.GatherElements(states, g.Concat(
            *[g.unsqueeze(beam, 1)] * 2, axis=1), axis=0)


@graph(13)
def doubles(g):
    """Statistics in f64 in the midst of f32, remainders of reals, and numbers that are none."""
    x = g.input("x", real(3, 7))
    y = g.Cast(x, to=TensorProto.DOUBLE)
    mean = g.ReduceMean(y, axes=[1], keepdims=1)
    y = g.Div(g.Sub(y, mean), g.Sqrt(g.ReduceMean(g.Pow(g.Sub(y, mean), np.float64(2)), axes=[1], keepdims=1)))
    y = g.Cast(y, to=TensorProto.FLOAT)
    z = g.Log(y)
    z = g.Where(g.IsNaN(z), g.Mod(y, np.float32(0.75), fmod=1), z)
    return y, z, g.CumSum(y, np.int64(1), exclusive=1, reverse=1)


@graph(13)
def ends_are_beginnings(g):
    """Outputs that are an input, a constant, and a tensor with two names; and what is read after all of them."""
    x = g.input("x", real(1, 3, 4, 4))
    w = g.constant(real(3, 1, 1))
    y = g.Add(x, w)
    return x, w, g.Identity(y), y, g.Identity(x), g.GlobalAveragePool(g.conv(y, 3, 2))


@graph(14)
def nothing_yet(g):
    """A cache that is empty at first: a size of 0."""
    x = g.input("x", real(1, 2, 3, 4))
    past = g.input("past", np.zeros((1, 2, 0, 4), np.float32), [1, 2, "P", 4])
    k = g.Concat(past, x, axis=2)
    y = g.MatMul(g.Softmax(g.MatMul(x, g.Transpose(k, perm=[0, 1, 3, 2])), axis=-1), k)
    return y, k, g.slice(x, 2, 2, 2)


@graph(18)
def unequal_parts(g):
    """Parts by number only, of which the last is smaller; reductions of which the axes are an input."""
    x = g.input("x", real(2, 7, 3))
    a, b, c = g.Split(x, axis=1, num_outputs=3, outputs=3)
    axes = np.array([1])
    return g.ReduceMax(a, axes, keepdims=0), g.ReduceSum(b, axes), g.ReduceL2(c, axes), \
        g.ReduceMean(x, np.zeros(0, np.int64), noop_with_empty_axes=1), g.ReduceLogSumExp(x, np.array([-1]), keepdims=0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--models"]:
        for name, (model, _, _) in make_graphs.cases.items():
            with open(os.path.join(sys.argv[2], name + ".onnx"), "wb") as file:
                file.write(model)
    else:
        archive.write(sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "lifelike.npz"),
                      make_graphs.cases)
