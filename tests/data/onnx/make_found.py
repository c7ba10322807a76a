#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes found.npz: what real models had that went wrong or was refused once, with what ONNX Runtime makes of it.

python3 tests/data/onnx/make_found.py [file]; needs and was made with what make_graphs.py says."""
import os
import sys

import numpy as np

import archive
import make_graphs
from make_graphs import graph, positive, real

make_graphs.cases.clear()


def rng_bytes(*shape):
    return make_graphs.rng.integers(-63, 64, shape).astype(np.int8)


@graph(11, 16)
def normalized_rows(g):
    """torch.nn.functional.normalize: rows of zeros are left (Swin V2, CLIP)."""
    x = real(2, 3, 4)
    x[1, 1] = 0
    x = g.input("x", x)
    norm = g.ReduceL2(x, axes=[-1], keepdims=1)
    floor = g.Clip(norm, np.float32(1e-12))
    return g.Div(x, g.Expand(floor, g.Shape(x)))


@graph(7, 14)
def small_epsilons(g):
    """Small numbers that are added to small variances, and within logarithms."""
    x = g.input("x", real(1, 3, 8) * np.float32(1e-3))
    centred = g.Sub(x, g.mean(x, -1))
    variance = g.mean(g.Mul(centred, centred), -1)
    y = g.Div(centred, g.Sqrt(g.Add(variance, np.float32(1e-6))))
    gate = g.Add(g.Relu(g.Mul(x, np.float32(1e5))), np.float32(1e-6))
    return y, g.Log(gate), g.Log(g.Add(g.Sigmoid(g.Mul(x, np.float32(-1e5))), np.float32(1e-6)))


@graph(11)
def wide_clip(g):
    """To the range of halves."""
    x = g.input("x", real(2, 8) * np.float32(50000))
    return g.Min(g.Max(g.Mul(x, np.float32(1)), np.float32(-65504)), np.float32(65504)), g.clip(x, -65504, 65504)


@graph(14)
def standardised_weights(g):
    """timm's ScaledStdConv2d: weights by a batch normalisation in training mode."""
    x = g.input("x", real(1, 3, 6, 6))
    w = g.Reshape(real(8, 3, 3, 3), np.array([1, 8, -1]))
    w = g.BatchNormalization(w, positive(8), np.zeros(8, np.float32), np.zeros(8, np.float32), np.ones(8, np.float32), training_mode=1,
                             momentum=0.9, epsilon=1e-5, outputs=3)[0]
    return g.Conv(x, g.Reshape(w, np.array([8, 3, 3, 3])), real(8), pads=[1] * 4)


@graph(15)
def statistics_of_a_batch(g):
    x = g.input("x", real(3, 4, 5))
    return g.BatchNormalization(x, positive(4), real(4), real(4), positive(4), training_mode=1, momentum=0.75, outputs=3)


@graph(12, 13)
def sizes_of_data(g):
    """Shapes of what NonZero found: lists without their dimension of 1, and how many there are."""
    x = g.input("x", real(2, 6))
    found = g.Transpose(g.NonZero(g.Greater(x, np.float32(0.25))), perm=[1, 0])
    first = g.squeeze(g.slice(found, 0, 1, 1), 1)
    return found, g.Shape(found), first, g.unsqueeze(first, 0), g.Identity(g.unsqueeze(first, 1)), g.Flatten(found, axis=1)


@graph(12)
def window_over_both_ends(g):
    """VoVNet on small images: a window of 3 on 2 places, with sizes rounded up."""
    x = g.input("x", real(1, 3, 2, 2))
    y = g.MaxPool(x, kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)
    return y, g.AveragePool(x, kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)


MS = {"domain": "com.microsoft"}


@graph(12)
def microsoft_transformer(g):
    """What ONNX Runtime saves of a transformer."""
    x, skip = g.input("x", real(2, 5, 8)), g.input("skip", real(2, 5, 8))
    x, _, _, total = g.SkipLayerNormalization(x, skip, positive(8), real(8), real(8), outputs=4, epsilon=1e-5, **MS)
    g.nodes[-1].output[1] = g.nodes[-1].output[2] = ""
    scores = g.FusedMatMul(x, x, transB=1, alpha=0.25, **MS)
    y = g.FusedMatMul(g.Softmax(scores, axis=-1), x, **MS)
    y = g.BiasGelu(g.FusedMatMul(y, real(6, 8), transB=1, **MS), real(6), **MS)
    return g.FastGelu(y, real(6), **MS), g.QuickGelu(total, alpha=1.5, **MS), g.Gelu(total, **MS)


@graph(12)
def microsoft_convolutions(g):
    x = g.input("x", real(1, 3, 6, 6))
    y = g.FusedConv(x, real(4, 3, 3, 3), real(4), activation="LeakyRelu", activation_params=[0.2], pads=[1] * 4, **MS)
    z = g.FusedConv(y, real(4, 4, 1, 1), real(4), y, activation="Relu", **MS)
    return z, g.FusedConv(z, real(2, 4, 1, 1), activation="Clip", activation_params=[-1.0, 2.5], **MS)


@graph(12)
def microsoft_quantized(g):
    """Operators of quantize_static(quant_format=QOperator)."""
    s, z = np.float32, np.uint8
    a = g.QuantizeLinear(g.input("a", real(1, 4, 3, 3)), s(0.03), z(120))
    b = g.QuantizeLinear(g.input("b", real(1, 4, 3, 3)), s(0.02), z(128))
    y = g.QLinearAdd(a, s(0.03), z(120), b, s(0.02), z(128), s(0.05), z(128), **MS)
    y = g.QLinearConcat(s(0.05), z(126), y, s(0.05), z(128), g.QLinearMul(a, s(0.03), z(120), b, s(0.02), z(128), s(0.06), z(100), **MS),
                        s(0.06), z(100), axis=1, **MS)
    y = g.QLinearLeakyRelu(y, s(0.05), z(126), s(0.05), z(30), alpha=0.1, **MS)
    y = g.QLinearSigmoid(y, s(0.05), z(30), s(1 / 256), z(0), **MS)
    y = g.QLinearGlobalAveragePool(y, s(1 / 256), z(0), s(1 / 256), z(0), **MS)
    y = g.QGemm(g.Flatten(y), s(1 / 256), z(0), rng_bytes(5, 8), s(0.02), np.int8(0), rng_bytes(5).astype(np.int32), transB=1, **MS)
    return g.Identity(y)


@graph(12)
def best_of_data(g):
    """As many of the best as there are, but three at most (detection)."""
    x = g.input("x", real(1, 8))
    found = g.NonZero(g.Greater(x, np.float32(1)))
    k = g.Min(g.slice(g.Shape(found), 1, 2, 0), np.array([3]))
    best, places = g.TopK(x, k, axis=1, outputs=2)
    return best, places, g.Mul(best, np.float32(2))


@graph(10, 16)
def parts_of_boxes(g):
    """RoiAlign: boxes within the image, over its edges, outside, and without a size."""
    x = g.input("x", real(2, 3, 9, 12))
    boxes = np.array([[1, 2, 7, 8], [-3, -4, 5, 5.5], [8, 6, 30, 40], [50, 50, 60, 60], [3, 3, 3, 3], [2.5, 1.25, 9.75, 8]], np.float32)
    boxes, images = g.input("boxes", boxes), np.array([0, 1, 1, 0, 0, 1])
    y = g.RoiAlign(x, boxes, images, output_height=3, output_width=4, sampling_ratio=2)
    z = g.RoiAlign(x, boxes, images, output_height=2, output_width=2, spatial_scale=0.5)
    return y, z, g.RoiAlign(x, boxes, images, output_height=2, output_width=3, mode="max", sampling_ratio=1)


@graph(11)
def three_dimensions(g):
    """Video and volumes: convolutions and pooling of three dimensions, with groups, and each channel by itself."""
    x = g.input("x", real(2, 4, 5, 6, 7))
    y = g.Conv(x, real(6, 4, 3, 3, 2), real(6), pads=[1, 1, 0, 1, 1, 1], strides=[2, 1, 2])
    y = g.Relu(g.BatchNormalization(y, positive(6), real(6), real(6), positive(6)))
    y = g.MaxPool(y, kernel_shape=[2, 2, 2], strides=[1, 2, 2])
    grouped = g.Conv(x, real(6, 2, 2, 1, 3), group=2, dilations=[2, 1, 2])
    alone = g.Conv(x, real(4, 1, 3, 3, 3), real(4), group=4, auto_pad="SAME_UPPER", strides=[1, 2, 2])
    flat = g.Conv(x, real(3, 4, 1, 1, 1))
    return y, grouped, g.GlobalAveragePool(alone), g.Sigmoid(flat), g.Conv(x, real(2, 4, 2, 2, 2), pads=[0, 1, 0, 0, 0, 1], strides=[2, 2, 2])


archive.write(sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "found.npz"),
              make_graphs.cases)
