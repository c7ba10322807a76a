#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes opsets.npz: operators of ONNX at the versions that they had since opset 7, with references.

python3 tests/data/onnx/make_opsets.py [file]; needs numpy, onnx and onnxruntime.  Made with onnx 1.23.2, onnxruntime 1.32.0 and
numpy 2.4.  archive.py says of what form that is; tests/onnx_conformance reads it.

References are by ONNX's own evaluator.  Where that has no old version of an operator, or has it wrong, they are by ONNX Runtime
(expected=RUNTIME), or by what NumPy makes of the operator's definition.  All are compared with ONNX Runtime where it has the
operator; what differs is printed, unless it is listed in DIFFERENT with its reason."""
import os
import sys

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

import archive

rng = np.random.default_rng(16)
cases = {}
RUNTIME = object()
ort.set_default_logger_severity(4)

# Cases in which ONNX Runtime has something else.
DIFFERENT = {f"resize_{opset}_{mode}_align_corners": "the evaluator, and ONNX's tests, take the length before it is rounded"
             for opset in (11, 19) for mode in ("linear", "cubic")}
DIFFERENT |= {f"maxunpool_{opset}_larger": "in ONNX's tests indices are those of the shape that follows from the attributes"
              for opset in (9, 11, 22)}


def real(*shape):
    """In sixteenths, so that files are small."""
    return (np.round(rng.standard_normal(shape) * 16) / 16).astype(np.float32)


def positive(*shape):
    return (np.ceil(rng.random(shape) * 32) / 32 + 0.5).astype(np.float32)


def ramp(*shape):
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


def i64(*values):
    return np.array(values, np.int64)


def is_list(array):
    return array.dtype == np.int64 and array.ndim <= 1


def make(nodes, opset, inputs, outputs, constants):
    """A model; before IR version 4 constants are inputs as well."""
    ir = 3 if opset < 9 else 4 if opset < 10 else 5 if opset < 11 else 8 if opset < 19 else 10
    infos = [helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(x.dtype), x.shape)
             for name, x in inputs.items()]
    if ir == 3:
        infos += [helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(x.dtype), x.shape)
                  for name, x in constants.items()]
    graph = helper.make_graph(nodes, "g", infos, [helper.make_empty_tensor_value_info(name) for name in outputs],
                              [numpy_helper.from_array(x, name) for name, x in constants.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir, producer_name="")


def typed(model, results):
    """The same with the types of its outputs, which ONNX Runtime wants."""
    for info, x in zip(model.graph.output, results):
        info.CopyFrom(helper.make_tensor_value_info(info.name, helper.np_dtype_to_tensor_dtype(x.dtype), x.shape))
    return model


def compare(name, model, inputs, results):
    try:
        others = by_runtime(model, inputs)
    except Exception as error:
        if os.environ.get("VERBOSE"):
            print(f"{name}: ONNX Runtime: {str(error).splitlines()[0]}")
        return
    for i, (x, other) in enumerate(zip(results, others)):
        same = x.shape == other.shape and (
            np.allclose(x, other, rtol=1e-3, atol=1e-5, equal_nan=True) if x.dtype.kind == "f" else np.array_equal(x, other))
        if not same and name not in DIFFERENT:
            print(f"{name}: output {i}: {x.shape} {x.ravel()[:8]}; ONNX Runtime {other.shape} {other.ravel()[:8]}")


def by_runtime(model, inputs):
    return ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, inputs)


def add(name, nodes, opset, inputs, outputs, constants=None, expected=None):
    model = make(nodes, opset, inputs, outputs, constants or {})
    if expected is None:
        expected = ReferenceEvaluator(model).run(None, inputs)
    elif expected is RUNTIME:
        expected = by_runtime(model, inputs)
    expected = [np.asarray(x) for x in expected]
    model = typed(model, expected)
    compare(name, model, inputs, expected)
    assert name not in cases, name
    cases[name] = (model.SerializeToString(), list(inputs.values()), expected)


def case(name, op, opset, operands, outputs=1, constant=None, expected=None, **attributes):
    """One node.  Operands: arrays, None for those that are absent.  Constants: lists of whole numbers, and what `constant`
    numbers."""
    names, inputs, constants = [], {}, {}
    for i, x in enumerate(operands):
        names.append("" if x is None else f"x{i}")
        if x is None:
            continue
        x = np.asarray(x)
        held = i in constant if constant is not None else i > 0 and is_list(x)
        (constants if held else inputs)[f"x{i}"] = x
    ys = [f"y{i}" for i in range(outputs)] if isinstance(outputs, int) else outputs
    node = helper.make_node(op, names, ys, **attributes)
    add(f"{op.lower()}_{opset}_{name}".rstrip("_"), [node], opset, inputs, [y for y in ys if y], constants, expected)


# -- Attributes that became inputs --

x = real(3, 4, 5)
case("axes", "Slice", 7, [x], axes=[0, 2], starts=[1, -3], ends=[1000, -1])
case("no_axes", "Slice", 9, [x], starts=[0, 1], ends=[2, 3])
case("", "Slice", 10, [x, i64(0, -1), i64(2, -5), i64(0, 2), i64(1, -2)])
case("no_steps", "Slice", 11, [x, i64(1), i64(9), i64(-1)])
case("int32", "Slice", 13, [x] + [np.array(v, np.int32) for v in ([3, 0], [0, 3], [1, 2], [-1, 2])], constant=[1, 2, 3, 4])
case("backwards", "Slice", 13, [x, i64(-1), i64(-(2 ** 63)), i64(1), i64(-1)])
case("empty", "Slice", 13, [x, i64(3), i64(1), i64(1)])

p = real(1, 2, 3, 4)
case("", "Pad", 7, [p], pads=[0, 0, 1, 2, 0, 0, 2, 1], value=1.5)
case("reflect", "Pad", 8, [p], pads=[0, 0, 1, 2, 0, 0, 2, 1], mode="reflect")
case("edge", "Pad", 10, [p], pads=[0, 0, 1, 2, 0, 0, 2, 1], mode="edge")
case("negative", "Pad", 10, [p], expected=RUNTIME, pads=[0, 0, -1, 1, 0, 0, 0, -2])
case("", "Pad", 11, [p, i64(0, 1, 0, 0, 0, 0, 2, 1), np.float32(2.5)], constant=[1, 2])
case("no_value", "Pad", 11, [p, i64(0, 0, 1, 0, 0, 0, 2, 1)])
case("reflect", "Pad", 13, [p, i64(0, 0, 1, 2, 0, 0, 0, 3)], mode="reflect")
case("whole", "Pad", 13, [np.arange(6).reshape(2, 3), i64(1, 0, 0, 2), np.int64(7)], constant=[1, 2])
case("axes", "Pad", 18, [p, i64(1, 2, 0, 1), np.float32(-1), i64(3, -2)], constant=[1, 2, 3])
case("edge_axes", "Pad", 18, [p, i64(2, 1), None, i64(-1)], mode="edge")
case("wrap", "Pad", 19, [p, i64(0, 0, 1, 2, 0, 0, 2, 1)], mode="wrap")

case("", "Clip", 7, [x], min=-0.5, max=0.75)
case("min", "Clip", 7, [x], min=0.0)
case("max", "Clip", 10, [x], max=0.25)
case("none", "Clip", 10, [x])
case("", "Clip", 11, [x, np.float32(-0.5), np.float32(0.75)], constant=[1, 2])
case("max", "Clip", 11, [x, None, np.float32(0.5)], constant=[2])
case("whole", "Clip", 12, [np.arange(-5, 5), np.int64(-2), np.int64(3)], constant=[1, 2])
case("run_time", "Clip", 13, [x, np.float32(-0.5), np.float32(0.75)], constant=[])
case("crossed", "Clip", 13, [x, np.float32(0.75), np.float32(-0.5)], constant=[1, 2])

s = real(1, 3, 1, 2, 1)
case("", "Squeeze", 7, [s], axes=[0, 2])
case("all", "Squeeze", 7, [s])
case("negative", "Squeeze", 11, [s], axes=[-1, 0])
case("", "Squeeze", 13, [s, i64(0, -1)])
case("all", "Squeeze", 13, [s])
case("", "Unsqueeze", 7, [x], axes=[0, 4])
case("negative", "Unsqueeze", 11, [x], axes=[-1, 1])
case("", "Unsqueeze", 13, [x, i64(4, 0)])

w = real(2, 7, 3)
case("sizes", "Split", 7, [w], outputs=3, axis=1, split=[2, 4, 1])
case("equal", "Split", 7, [real(6, 2)], outputs=3)
case("negative", "Split", 11, [w], outputs=2, axis=-2, split=[3, 4])
case("sizes", "Split", 13, [w, i64(5, 2)], outputs=2, axis=1)
case("equal", "Split", 13, [real(2, 6)], outputs=3, axis=-1)
case("uneven", "Split", 18, [w], outputs=3, axis=1, num_outputs=3)
case("sizes", "Split", 18, [w, i64(1, 0, 6)], outputs=3, axis=1)

for op in ("ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd",
           "ReduceSum", "ReduceSumSquare"):
    r = positive(2, 3, 2)
    old = 11 if op == "ReduceSum" else 13
    case("axes", op, 7, [r], axes=[0, 2], keepdims=0)
    case("negative", op, old, [r], axes=[-1])
    case("axes", op, 18, [r, i64(-2, 0)], keepdims=0)
    case("all", op, 18, [r])
    case("noop", op, 18, [r], noop_with_empty_axes=1)
case("all", "ReduceMean", 7, [x])
case("all_flat", "ReduceMax", 8, [x], keepdims=0)
case("int32", "ReduceMax", 12, [np.arange(-6, 6, dtype=np.int32).reshape(3, 4)], axes=[1])
case("", "ReduceSum", 13, [x, i64(1)], keepdims=0)
case("noop_empty", "ReduceSum", 13, [x, i64()], noop_with_empty_axes=1)
case("all_empty", "ReduceSum", 13, [x, i64()])
case("bool", "ReduceMax", 20, [x > 0.5, i64(1)], constant=[1])
case("bool", "ReduceMin", 20, [x > -0.5, i64(1)], constant=[1])

# -- Enlarging --

u = real(1, 2, 3, 4)


def nearest_asymmetric(x, scales):
    """The place below, or the one above where an axis shrinks."""
    for axis, scale in enumerate(scales):
        scale = np.float32(scale)
        places = (np.ceil if scale < 1 else np.floor)(np.arange(int(np.floor(np.float32(x.shape[axis]) * scale))).astype(np.float32) / scale)
        x = np.take(x, places.astype(int), axis)
    return x


def linear_asymmetric(x, scales):
    for axis, scale in enumerate(scales):
        if scale == 1:
            continue
        n = x.shape[axis]
        places = np.arange(int(n * scale)) / scale
        low = np.minimum(np.floor(places).astype(int), n - 1)
        high = np.minimum(low + 1, n - 1)
        rest = (places - np.floor(places)).reshape([-1 if i == axis else 1 for i in range(x.ndim)])
        x = np.take(x, low, axis) * (1 - rest) + np.take(x, high, axis) * rest
    return x.astype(np.float32)


up = [1.0, 1.0, 2.0, 3.0]
case("nearest", "Upsample", 7, [u], expected=[nearest_asymmetric(u, up)], scales=up)
case("linear", "Upsample", 7, [u], expected=[linear_asymmetric(u, up)], scales=up, mode="linear")
case("nearest", "Upsample", 9, [u, np.array(up, np.float32)], constant=[1], expected=[nearest_asymmetric(u, up)], mode="nearest")
case("linear", "Upsample", 9, [u, np.array([1, 1, 1.5, 2], np.float32)], constant=[1],
     expected=[linear_asymmetric(u, [1, 1, 1.5, 2])], mode="linear")
case("odd", "Upsample", 9, [u, np.array([1, 1, 1.7, 2.3], np.float32)], constant=[1],
     expected=[nearest_asymmetric(u, [1, 1, 1.7, 2.3])])
case("nearest", "Resize", 10, [u, np.array([1, 1, 2, 0.6], np.float32)], constant=[1],
     expected=[nearest_asymmetric(u, [1, 1, 2, 0.6])], mode="nearest")
case("linear", "Resize", 10, [u, np.array([1, 1, 2, 1.5], np.float32)], constant=[1],
     expected=[linear_asymmetric(u, [1, 1, 2, 1.5])], mode="linear")
none = np.zeros(0, np.float32)
coordinates = ("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric")
v = ramp(1, 1, 4, 5)
for opset in (11, 13, 18, 19):
    for mode in ("nearest", "linear", "cubic"):
        for how in coordinates if opset in (11, 19) else ("half_pixel",):
            case(f"{mode}_{how}", "Resize", opset, [v, none if opset == 11 else None, np.array([1, 1, 1.6, 0.8], np.float32)],
                 constant=[1, 2], mode=mode, coordinate_transformation_mode=how)
for mode in ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil"):
    case(mode, "Resize", 13, [v, None, None, i64(1, 1, 6, 9)], nearest_mode=mode, mode="nearest",
         coordinate_transformation_mode="half_pixel")
case("sizes", "Resize", 11, [v, none, none, i64(1, 1, 8, 3)], constant=[1, 2, 3], mode="linear")
case("one", "Resize", 13, [v, None, None, i64(1, 1, 1, 1)], mode="linear", coordinate_transformation_mode="pytorch_half_pixel")
case("crop", "Resize", 11, [v, np.array([0, 0, 0.25, 0.1, 1, 1, 0.75, 1.2], np.float32), none, i64(1, 1, 3, 4)],
     constant=[1, 2, 3], mode="linear", coordinate_transformation_mode="tf_crop_and_resize", extrapolation_value=9.0)
case("outside", "Resize", 13, [v, None, np.array([1, 1, 2, 2], np.float32)], constant=[2], mode="cubic", cubic_coeff_a=-0.5,
     exclude_outside=1)
case("axes", "Resize", 18, [v, None, None, i64(9, 2)], mode="linear", axes=[3, 2])
case("not_larger", "Resize", 18, [v, None, None, i64(9, 9)], mode="nearest", axes=[2, 3], keep_aspect_ratio_policy="not_larger")
case("not_smaller", "Resize", 19, [v, None, None, i64(9, 9)], mode="linear", axes=[2, 3], keep_aspect_ratio_policy="not_smaller")
case("symmetric", "Resize", 19, [v, None, np.array([1, 1, 0.7, 1.3], np.float32)], constant=[2], mode="linear",
     coordinate_transformation_mode="half_pixel_symmetric")


def nearest_half_pixel(x, scales):
    """tf_half_pixel_for_nn: x / scale with x from the middle of a pixel."""
    for axis, scale in enumerate(scales):
        scale = np.float32(scale)
        count = int(np.floor(np.float32(x.shape[axis]) * scale))
        places = np.floor((np.arange(count).astype(np.float32) + np.float32(0.5)) / scale)
        x = np.take(x, np.minimum(places.astype(int), x.shape[axis] - 1), axis)
    return x


for opset in (11, 12):
    case("tf_half_pixel", "Resize", opset, [v, none, np.array([1, 1, 2, 0.6], np.float32)], constant=[1, 2], mode="nearest",
         expected=[nearest_half_pixel(v, [1, 1, 2, 0.6])], coordinate_transformation_mode="tf_half_pixel_for_nn",
         nearest_mode="floor")

# -- Softmax and its like: before opset 13 what follows `axis` is one dimension --


def flattened(op, x, axis):
    """By the evaluator at opset 13, on two dimensions."""
    axis = axis + x.ndim if axis < 0 else axis
    flat = x.reshape(int(np.prod(x.shape[:axis])), -1)
    model = make([helper.make_node(op, ["x"], ["y"], axis=1)], 13, {"x": flat}, ["y"], {})
    return [ReferenceEvaluator(model).run(None, {"x": flat})[0].reshape(x.shape)]


for op in ("Softmax", "LogSoftmax", "Hardmax"):
    case("default", op, 7, [x], expected=flattened(op, x, 1))
    case("axis_0", op, 9, [x], expected=flattened(op, x, 0), axis=0)
    case("axis_2", op, 9, [x], expected=flattened(op, x, 2), axis=2)
    case("negative", op, 11, [x], expected=flattened(op, x, -2), axis=-2)
    case("default", op, 13, [x])
    case("axis_0", op, 13, [x], axis=0)
    case("axis_1", op, 13, [x], axis=1)

# -- Windows --

c = real(1, 2, 7, 8)
k = real(4, 2, 3, 2)
bias = real(4)
for opset in (7, 11):
    for auto in ("SAME_UPPER", "SAME_LOWER", "VALID"):
        for strides, dilations in (([1, 1], [1, 1]), ([2, 3], [1, 1]), ([1, 2], [2, 3])):
            if auto != "VALID" and dilations != [1, 1] and opset == 7:
                continue
            case(f"{auto.lower()}_{strides[0]}{strides[1]}_{dilations[0]}{dilations[1]}", "Conv", opset, [c, k, bias],
                 constant=[1, 2], auto_pad=auto, strides=strides, dilations=dilations)
case("weights_as_input", "Conv", 11, [c, k, bias], constant=[], pads=[1, 0, 2, 1], strides=[2, 1])
case("groups", "Conv", 7, [real(2, 4, 5, 5), real(6, 2, 3, 3)], constant=[1], group=2, pads=[1, 1, 1, 1])
case("depthwise", "Conv", 7, [real(1, 3, 6, 6), real(6, 1, 3, 3), real(6)], constant=[1, 2], group=3, pads=[1, 1, 1, 1],
     strides=[2, 2], kernel_shape=[3, 3])
case("line", "Conv", 11, [real(2, 3, 9), real(4, 3, 3), bias], constant=[1, 2], auto_pad="SAME_LOWER", strides=[2], dilations=[1])
case("line_dilated", "Conv", 11, [real(1, 3, 12), real(3, 1, 3)], constant=[1], group=3, pads=[4, 0], dilations=[2])
t = real(1, 2, 3, 4)
case("", "ConvTranspose", 7, [t, real(2, 3, 3, 3), real(3)], constant=[1, 2], strides=[2, 2], pads=[1, 1, 0, 1],
     output_padding=[1, 0])
case("output_shape", "ConvTranspose", 7, [t, real(2, 3, 3, 3)], constant=[1], expected=RUNTIME, strides=[3, 2], output_shape=[10, 8])
case("same_upper", "ConvTranspose", 11, [t, real(2, 3, 3, 3)], constant=[1], strides=[2, 2], auto_pad="SAME_UPPER")
case("same_lower", "ConvTranspose", 11, [t, real(2, 3, 3, 3)], constant=[1], strides=[2, 2], auto_pad="SAME_LOWER")
case("groups", "ConvTranspose", 11, [t, real(2, 2, 2, 2)], constant=[1], expected=RUNTIME, strides=[2, 1], group=2)
case("dilated", "ConvTranspose", 11, [t, real(2, 1, 2, 2)], constant=[1], dilations=[2, 2])
case("line", "ConvTranspose", 11, [real(1, 2, 5), real(2, 3, 4), real(3)], constant=[1, 2], strides=[2], pads=[1, 1])

for op in ("MaxPool", "AveragePool"):
    for opset in (7, 10, 11, 19, 22):
        auto = "SAME_UPPER" if opset in (7, 11, 22) else "SAME_LOWER"
        case(auto.lower(), op, opset, [c], expected=RUNTIME, kernel_shape=[3, 2], strides=[2, 3], auto_pad=auto)
        case("pads", op, opset, [c], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 0, 1, 2])
        if opset >= 10:
            case("ceil", op, opset, [c], kernel_shape=[3, 3], strides=[3, 3], pads=[1, 1, 0, 1], ceil_mode=1)
            case("ceil_beyond", op, opset, [real(1, 1, 5, 6)], kernel_shape=[1, 1], strides=[2, 3], ceil_mode=1)
            case("ceil_padding", op, opset, [real(1, 1, 5, 6)], kernel_shape=[2, 2], strides=[3, 4], pads=[0, 0, 1, 1],
                 ceil_mode=1)
        if op == "MaxPool" and opset >= 10 or opset >= 19:
            case("dilated", op, opset, [c], kernel_shape=[2, 3], dilations=[3, 2], pads=[1, 1, 0, 1])
    case("valid", op, 7, [c], kernel_shape=[3, 3], strides=[2, 2], auto_pad="VALID")
    case("line", op, 11, [real(2, 3, 9)], kernel_shape=[3], strides=[2], pads=[1, 1])
    case("volume", op, 11, [real(1, 2, 3, 4, 5)], kernel_shape=[2, 2, 3], strides=[1, 2, 2], pads=[0, 1, 0, 1, 0, 1])
for opset in (7, 11, 19, 22):
    case("count", "AveragePool", opset, [c], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 2, 1, 0], count_include_pad=1)
    if opset >= 10:
        case("count_ceil", "AveragePool", opset, [c], kernel_shape=[3, 3], strides=[2, 3], pads=[1, 1, 1, 1], ceil_mode=1,
             count_include_pad=1)
case("same_count", "AveragePool", 11, [c], kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER", count_include_pad=1)
case("dilated_count", "AveragePool", 19, [c], kernel_shape=[2, 3], dilations=[3, 2], pads=[1, 1, 2, 1], count_include_pad=1)
case("int8", "MaxPool", 12, [rng.integers(-128, 127, (1, 1, 4, 4)).astype(np.int8)], kernel_shape=[2, 2], strides=[2, 2])
case("", "GlobalAveragePool", 7, [c])
case("line", "GlobalMaxPool", 7, [real(2, 3, 5)], expected=RUNTIME)

# -- Normalisation --

n = real(2, 3, 4, 5)
stats = [positive(3), real(3), real(3), positive(3)]
for opset in (7, 9, 14, 15):
    case("", "BatchNormalization", opset, [n] + stats, constant=[1, 2, 3, 4], expected=RUNTIME, epsilon=0.01)
case("flat", "BatchNormalization", 9, [real(4, 3)] + stats, constant=[1, 2, 3, 4], expected=RUNTIME)
case("line", "BatchNormalization", 9, [real(2, 3, 4)] + stats, constant=[1, 2, 3, 4], expected=RUNTIME)
case("run_time", "BatchNormalization", 9, [n] + stats, constant=[], expected=RUNTIME)
full = [positive(3, 4, 5), real(3, 4, 5), real(3, 4, 5), positive(3, 4, 5)]
case("not_spatial", "BatchNormalization", 7, [n] + full, constant=[1, 2, 3, 4], spatial=0,
     expected=[(n - full[2]) / np.sqrt(full[3] + np.float32(1e-5)) * full[0] + full[1]])
case("spatial", "BatchNormalization", 8, [n] + stats, constant=[1, 2, 3, 4], expected=RUNTIME, spatial=1, momentum=0.9)
case("", "InstanceNormalization", 7, [n, positive(3), real(3)], constant=[1, 2])
case("line", "InstanceNormalization", 22, [real(2, 3, 6), positive(3), real(3)], constant=[1, 2], epsilon=0.1)
g = real(2, 6, 3, 2)
case("", "GroupNormalization", 18, [g, positive(3), real(3)], constant=[1, 2], num_groups=3)
case("", "GroupNormalization", 21, [g, positive(6), real(6)], constant=[1, 2], num_groups=3)
case("", "LayerNormalization", 17, [n, positive(4, 5), real(4, 5)], constant=[1, 2], axis=2)
case("no_bias", "LayerNormalization", 17, [n, positive(5)], constant=[1])


def lrn(x, size, alpha, beta=0.75, bias=1.0):
    squares = [(x[:, max(0, c - (size - 1) // 2):c + size // 2 + 1] ** 2).sum(1) for c in range(x.shape[1])]
    return [(x / (bias + alpha / size * np.stack(squares, 1)) ** beta).astype(np.float32)]


l = real(1, 6, 2, 3)
for opset in (7, 13):
    case("", "LRN", opset, [l], expected=lrn(l, 3, 0.5, 0.6, 1.5), size=3, alpha=0.5, beta=0.6, bias=1.5)
case("even", "LRN", 7, [l], expected=lrn(l, 4, 0.5), size=4, alpha=0.5)
case("", "LpNormalization", 7, [real(3, 4)], expected=RUNTIME, axis=0, p=1)
case("", "MeanVarianceNormalization", 9, [n])
case("", "MeanVarianceNormalization", 13, [n], axes=[1, 3])
case("", "Dropout", 7, [x], ratio=0.3)
case("", "Dropout", 10, [x], ratio=0.3)
case("", "Dropout", 12, [x, np.float32(0.3), np.array(False)], constant=[1, 2])
case("mask", "Dropout", 13, [x, np.float32(0.3), np.array(False)], outputs=2, constant=[1, 2])
case("mask", "Dropout", 12, [x], outputs=2)

# -- Products --

a, b = real(3, 4), real(4, 5)
for opset in (7, 9, 11, 13):
    case("row", "Gemm", opset, [a, b, real(5)], constant=[1, 2])
case("matrix", "Gemm", 7, [a, b, real(3, 5)], constant=[1, 2], alpha=0.5, beta=2.0)
case("column", "Gemm", 7, [a, b, real(3, 1)], constant=[1, 2])
case("one_row", "Gemm", 9, [a, b, real(1, 5)], constant=[1, 2], beta=0.5)
case("scalar", "Gemm", 11, [a, b, np.float32(1.5)], constant=[1, 2], alpha=2.0)
case("one", "Gemm", 7, [a, b, real(1)], constant=[1, 2])
case("none", "Gemm", 11, [a, b], constant=[1])
case("swapped", "Gemm", 9, [real(4, 3), real(5, 4), real(5)], constant=[1, 2], transA=1, transB=1)
case("run_time", "Gemm", 9, [real(4, 3), real(5, 4), real(3, 5)], constant=[], transA=1, transB=1, alpha=0.25, beta=0.75)
case("whole", "Gemm", 9, [np.arange(6, dtype=np.int32).reshape(2, 3), np.arange(6, dtype=np.int32).reshape(3, 2), np.int32([1, 2])], constant=[])
case("batch", "MatMul", 7, [real(2, 1, 3, 4), real(3, 4, 2)], constant=[])
case("dense", "MatMul", 9, [real(2, 3, 4), b], constant=[1])
case("vectors", "MatMul", 9, [real(4), b], constant=[1])
case("column", "MatMul", 13, [real(2, 3, 4), real(4)], constant=[1])

# -- One element at a time --

y = real(4, 1)
for op in ("Add", "Sub", "Mul", "Div"):
    case("", op, 7, [x, y])
    case("whole", op, 13, [np.arange(-6, 6, dtype=np.int64).reshape(3, 4), np.int64([2, -3, 5, 7])], constant=[])
case("small", "Add", 14, [np.int8([100, -100, 3]), np.int8([100, -100, 4])], constant=[])
case("small", "Mul", 14, [np.uint8([16, 3, 200]), np.uint8([16, 4, 2])], constant=[])
case("", "Pow", 7, [positive(3, 4), real(4)])
case("whole_exponent", "Pow", 12, [real(3, 4), np.int64([2, 0, 3, 1])], constant=[])
case("whole_base", "Pow", 13, [np.int64([1, -2, 3]), np.float32([2, 3, 0.5])], constant=[])
case("int32", "Pow", 15, [np.int32([1, -2, 3]), np.int32([2, 3, 4])], constant=[])
case("two", "Pow", 7, [real(3, 4), np.float32(2)], constant=[1])
whole = rng.integers(-2, 3, (3, 4))
case("whole", "Equal", 7, [whole, whole[:1]], constant=[])
case("bool", "Equal", 7, [whole > 0, whole[1] > 0])
case("real", "Equal", 11, [whole.astype(np.float32), whole[0].astype(np.float32)])
case("", "Equal", 13, [whole, np.int64(0)], constant=[1])
for op in ("Greater", "Less"):
    case("real", op, 7, [x, y])
    case("whole", op, 9, [whole, np.int64([0, 1, -1, 0])], constant=[])
    case("", op, 13, [whole.astype(np.int32), np.int32(0)], constant=[1])
for op in ("GreaterOrEqual", "LessOrEqual"):
    case("", op, 12, [whole, np.int64([0, 1, -1, 0])], constant=[])
    case("", op, 16, [x, y])
for op in ("And", "Or", "Xor"):
    case("", op, 7, [x > 0, y > 0])
case("", "Not", 7, [x > 0])
f = np.array([-1.7, -0.4, 0, 0.6, 2.5, 100.9], np.float32)
for opset in (7, 9, 13, 19):
    case("int32", "Cast", opset, [f], to=TensorProto.INT32)
    case("bool", "Cast", opset, [f], to=TensorProto.BOOL)
    case("half", "Cast", opset, [f], to=TensorProto.FLOAT16)
case("from_bool", "Cast", 9, [f > 0], to=TensorProto.FLOAT)
case("double", "Cast", 9, [f], to=TensorProto.DOUBLE)
case("uint8", "Cast", 9, [np.int64([0, 3, 255, 256, -1])], to=TensorProto.UINT8)
case("", "CastLike", 15, [f, np.int64([1])], constant=[1])
case("", "CastLike", 19, [whole, f], constant=[])
case("axes", "PRelu", 7, [real(2, 3, 4, 2), positive(3, 1, 1)], constant=[1])
case("last", "PRelu", 9, [real(2, 3, 4), positive(4)], constant=[1])
case("one", "PRelu", 9, [real(2, 3, 4), positive(1)], constant=[1])
case("all", "PRelu", 16, [real(2, 3), positive(2, 3)], constant=[])
case("", "LeakyRelu", 7, [x], alpha=0.2)
case("default", "LeakyRelu", 16, [x])
case("", "Elu", 7, [x], alpha=0.5)
case("", "Selu", 7, [x])
case("", "HardSigmoid", 7, [x], alpha=0.3, beta=0.4)
case("default", "HardSigmoid", 22, [x])
case("", "HardSwish", 14, [x * 3])
case("", "Softplus", 7, [x])
case("", "Softsign", 7, [x])
case("", "ThresholdedRelu", 10, [x], alpha=0.5)
case("", "Celu", 12, [x], alpha=2.0)
case("", "Gelu", 20, [x])
case("tanh", "Gelu", 20, [x], approximate="tanh")
case("", "Mish", 18, [x])
case("", "Swish", 24, [x], alpha=0.7)
case("", "Erf", 9, [x])
case("", "Sign", 9, [x])
case("", "Round", 11, [np.float32([-2.5, -1.5, -0.5, 0.5, 1.5, 2.4])])
case("", "IsNaN", 9, [np.float32([1, np.nan, np.inf])])
case("", "IsInf", 10, [np.float32([1, np.nan, np.inf, -np.inf])], detect_negative=0)
case("", "IsInf", 20, [np.float32([1, np.nan, np.inf, -np.inf])], detect_positive=0)
case("whole", "Mod", 10, [np.int64([-4, 7, 5, -8]), np.int64([3, -3, 8, 5])], constant=[])
case("fmod", "Mod", 13, [real(4), real(4)], fmod=1)
case("whole", "Neg", 7, [np.int32([1, -2])])
case("whole", "Abs", 7, [np.int64([1, -2])])
case("whole", "Relu", 14, [np.int32([1, -2])])
for op in ("Max", "Min", "Sum", "Mean"):
    case("", op, 8, [x, y, real(5)])
case("one", "Sum", 7, [x])
case("whole", "Max", 12, [whole, np.int64([[1], [0], [-1]])], constant=[])
case("same", "Sum", 7, [x, real(3, 4, 5)])

# -- Along axes --

ties = np.float32([[2, 2, 1], [0, 3, 3]])
for op in ("ArgMax", "ArgMin"):
    case("", op, 7, [ties], axis=1, keepdims=0)
    case("negative", op, 11, [ties], axis=-1)
    case("last", op, 12, [ties], axis=1, select_last_index=1)
    case("last", op, 13, [ties], axis=0, keepdims=0, select_last_index=1)
top = rng.permutation(18).reshape(3, 6).astype(np.float32) / 2
case("", "TopK", 7, [top], outputs=2, k=2, axis=1, expected=[np.sort(top, 1)[:, ::-1][:, :2], np.argsort(-top, 1)[:, :2]])
case("", "TopK", 10, [top, i64(3)], outputs=2, axis=0)
case("", "TopK", 11, [top, i64(2)], outputs=2, axis=-1, largest=0)
case("whole", "TopK", 11, [np.int64([[5, 1, 4], [2, 2, 9]]), i64(2)], outputs=2)
case("", "CumSum", 11, [x, np.int32(1)], constant=[1], exclusive=1)
case("reverse", "CumSum", 14, [x, np.int64(-1)], reverse=1)

# -- Places --

case("", "Gather", 7, [x, np.int64([[0, 3], [1, 1]])], axis=1)
case("negative", "Gather", 11, [x, np.int64([-1, 0, -3])], axis=0)
case("scalar", "Gather", 13, [x, np.int64(-2)], axis=-1)
case("run_time", "Gather", 13, [x, np.int32([[-1, 2]])], axis=1, constant=[])
case("", "GatherElements", 11, [top, np.int64([[0, -1], [5, 2], [-6, 1]])], axis=1, constant=[])
case("", "GatherND", 11, [x, np.int64([[0, 1], [-1, 3]])], constant=[])
case("batch", "GatherND", 12, [x, np.int64([[1], [-1], [0]])], constant=[], batch_dims=1)
case("", "Scatter", 9, [top, np.int64([[1, 0], [2, 5]]), real(2, 2)], axis=1, constant=[], expected=RUNTIME)
case("", "ScatterElements", 11, [top, np.int64([[1, -1], [2, 5]]), real(2, 2)], axis=1, constant=[])
case("add", "ScatterElements", 16, [top, np.int64([[1, 1], [2, 2]]), real(2, 2)], axis=1, constant=[], reduction="add")
case("max", "ScatterElements", 18, [top, np.int64([[1, 1], [2, 2]]), real(2, 2)], axis=1, constant=[], reduction="max")
case("", "ScatterND", 11, [top, np.int64([[0], [-1]]), real(2, 6)], constant=[])
case("mul", "ScatterND", 16, [top, np.int64([[0, 1], [0, 1]]), real(2)], constant=[], reduction="mul")
case("min", "ScatterND", 18, [top, np.int64([[0, 1], [0, 1]]), real(2)], constant=[], reduction="min")
case("", "OneHot", 9, [np.int64([0, 2, -1]), np.int64(3), np.float32([-1, 5])], constant=[1, 2],
     expected=[np.float32([[5, -1, -1], [-1, -1, 5], [-1, -1, 5]])])
case("axis", "OneHot", 11, [np.int64([[0, 2], [1, -3]]), np.int64(3), np.float32([0, 1])], constant=[1, 2], axis=1)
case("", "Expand", 8, [real(3, 1), i64(2, 3, 4)])
case("smaller", "Expand", 13, [real(3, 4), i64(1)])
case("", "Tile", 7, [real(2, 3), i64(2, 1)])
case("", "Where", 9, [x > 0, x, y])
case("whole", "Where", 16, [whole > 0, whole, np.int64(7)], constant=[2])
case("default", "ConstantOfShape", 9, [i64(2, 3)], constant=[0])
case("", "ConstantOfShape", 9, [i64(3)], constant=[0], value=numpy_helper.from_array(np.array([7], np.int32)))
case("scalar", "ConstantOfShape", 20, [i64()], constant=[0], value=numpy_helper.from_array(np.array([0.5], np.float32)))
case("zero", "Reshape", 7, [x, i64(0, -1)])
case("", "Reshape", 13, [x, i64(2, -1, 5)])
case("allow_zero", "Reshape", 14, [np.zeros((0, 3, 4), np.float32), i64(3, 4, 0)], allowzero=1)
case("zero", "Reshape", 14, [x, i64(0, 0, -1)])
case("", "Flatten", 7, [x], axis=2)
case("zero", "Flatten", 9, [x], axis=0)
case("negative", "Flatten", 11, [x], axis=-1)
case("reverse", "Transpose", 7, [x])
d = real(1, 8, 2, 3)
case("", "DepthToSpace", 7, [d], blocksize=2)
case("dcr", "DepthToSpace", 11, [d], blocksize=2, mode="DCR")
case("crd", "DepthToSpace", 13, [d], blocksize=2, mode="CRD")
case("", "SpaceToDepth", 7, [real(1, 2, 4, 6)], blocksize=2)
case("", "Concat", 7, [real(2, 3), real(2, 1)], axis=1)
case("negative", "Concat", 11, [real(2, 3), real(2, 1)], axis=-1)
case("", "Shape", 7, [x])
case("part", "Shape", 15, [x], start=-2, end=3)
case("", "Size", 7, [x])
case("", "NonZero", 9, [whole])
case("", "Range", 11, [np.int64(1), np.int64(11), np.int64(3)], constant=[0, 1, 2])
case("", "Trilu", 14, [real(3, 4), np.int64(1)])
case("ints", "Constant", 12, [], value_ints=[3, -4])
case("real", "Constant", 13, [], value_float=2.5)
case("", "Constant", 7, [], value=numpy_helper.from_array(real(2, 2)))
boxes = np.float32([[[0, 0, 1, 1], [0, 0.1, 1, 1.1], [0, 10, 1, 11]]])
scores = np.float32([[[0.9, 0.75, 0.6]]])
for opset in (10, 11):
    case("", "NonMaxSuppression", opset, [boxes, scores, i64(3), np.float32([0.5]), np.float32([0.0])], constant=[2, 3, 4])
q = np.uint8([[0, 3, 128], [255, 7, 9]])
case("", "DequantizeLinear", 10, [q, np.float32(2), np.uint8(128)], constant=[1, 2], expected=RUNTIME)
case("axis", "DequantizeLinear", 13, [q, np.float32([2, 3]), np.uint8([128, 1])], constant=[1, 2], expected=RUNTIME, axis=0)
case("int32", "DequantizeLinear", 19, [q.astype(np.int32), np.float32(0.5)], constant=[1])

# -- Recurrent --

seq = real(4, 2, 3)
for opset in (7, 14):
    case("", "LSTM", opset, [seq, real(1, 20, 3), real(1, 20, 5), real(1, 40)], outputs=3, constant=[1, 2, 3], hidden_size=5)
    case("", "GRU", opset, [seq, real(1, 15, 3), real(1, 15, 5), real(1, 30)], outputs=2, constant=[1, 2, 3], hidden_size=5)
    case("reset", "GRU", opset, [seq, real(1, 15, 3), real(1, 15, 5), real(1, 30)], outputs=2, constant=[1, 2, 3],
         hidden_size=5, linear_before_reset=1)
    case("", "RNN", opset, [seq, real(1, 5, 3), real(1, 5, 5)], outputs=2, constant=[1, 2], hidden_size=5)
case("state", "LSTM", 7, [seq, real(1, 8, 3), real(1, 8, 2), None, None, real(1, 2, 2), real(1, 2, 2)], outputs=["", "h"],
     constant=[1, 2], hidden_size=2)

# -- Branches --


def branch(value, op):
    node = helper.make_node(op, ["x"], [value])
    return helper.make_graph([node], value, [], [helper.make_tensor_value_info(value, TensorProto.FLOAT, [3, 4])])


m = real(3, 4)
for opset in (7, 11, 13, 16):
    for held in (True, False):
        for value in (True, False):
            node = helper.make_node("If", ["c"], ["y"], then_branch=branch("t", "Relu"), else_branch=branch("e", "Neg"))
            choice = {"c": np.array(value)}
            add(f"if_{opset}_{'constant' if held else 'run_time'}_{str(value).lower()}", [node], opset,
                {"x": m} | ({} if held else choice), ["y"], choice if held else {},
                expected=[np.maximum(m, 0) if value else -m])
            if opset != 11:
                break

# -- Loops --


def value(name, kind, shape):
    return helper.make_tensor_value_info(name, kind, shape)


F, I, B = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL
v, rows = real(3), real(4, 3)
doubled = helper.make_graph(
    [helper.make_node("Add", ["s", "s"], ["t"]), helper.make_node("Cast", ["i"], ["r"], to=1),
     helper.make_node("Add", ["t", "r"], ["u"]), helper.make_node("Less", ["i", "two"], ["go"]),
     helper.make_node("Mul", ["u", "outer"], ["part"])],
    "body", [value("i", I, []), value("c", B, []), value("s", F, [3])],
    [value("go", B, []), value("u", F, [3]), value("part", F, [3])], [numpy_helper.from_array(np.int64(2), "two")])
s, parts = v, []
for i in range(4):  # the condition ends it after the fourth round, or the trip count before
    s = s + s + np.float32(i)
    parts.append(s * np.float32(0.5))
for opset in (11, 13, 21):
    for name, trips, count in (("count", i64(2)[0], 2), ("condition", i64(9)[0], 3)):
        made = [v, []]
        s = v
        for i in range(count if name == "count" else 3):
            s = s + s + np.float32(i)
        node = helper.make_node("Loop", ["m", "", "x"], ["y", "z"], body=doubled)
        add(f"loop_{opset}_{name}", [node], opset, {"x": v, "outer": np.float32(0.5)}, ["y", "z"], {"m": trips},
            expected=[s, np.stack(parts[:count])])
running = helper.make_graph(
    [helper.make_node("Add", ["s", "x"], ["t"]), helper.make_node("Neg", ["t"], ["part"])],
    "body", [value("s", F, [3]), value("x", F, [3])], [value("t", F, [3]), value("part", F, [3])])
for opset in (9, 11, 16):
    for name, kw in (("", {}), ("turned", {"scan_input_axes": [1], "scan_input_directions": [1], "scan_output_axes": [1],
                                           "scan_output_directions": [1]})):
        given = rows.T.copy() if kw else rows
        sums = np.cumsum(np.concatenate([v[None], rows[::-1] if kw else rows]), 0)[1:]
        node = helper.make_node("Scan", ["v", "x"], ["y", "z"], body=running, num_scan_inputs=1, **kw)
        add(f"scan_{opset}_{name}".rstrip("_"), [node], opset, {"v": v, "x": given}, ["y", "z"], {},
            expected=[sums[-1], -sums[::-1].T if kw else -sums])

# -- Places --

x, g = real(2, 3, 5, 4), (rng.integers(-28, 29, size=(2, 3, 2, 2)) / 16).astype(np.float32)
for opset, linear, cubic in ((16, "bilinear", "bicubic"), (20, "linear", "cubic"), (22, "linear", "cubic")):
    how = {"expected": RUNTIME} if opset < 20 else {}  # the evaluator knows the new names alone
    case("linear", "GridSample", opset, [x, g], mode=linear, padding_mode="reflection", **how)
    case("cubic", "GridSample", opset, [x, g], mode=cubic, align_corners=1, **how)
case("volume", "GridSample", 20, [real(1, 2, 3, 4, 2), (rng.integers(-16, 17, size=(1, 2, 1, 3, 3)) / 16).astype(np.float32)],
     mode="linear", padding_mode="border")
for opset in (8, 10, 11, 12):
    case("indices", "MaxPool", opset, [x], outputs=2, kernel_shape=[2, 2], strides=[2, 2])
    case("columns", "MaxPool", opset, [x], outputs=2, expected=RUNTIME, kernel_shape=[2, 3], pads=[1, 0, 0, 1], storage_order=1)
y = real(1, 2, 2, 2)
for opset in (9, 11, 22):
    case("", "MaxUnpool", opset, [y, i64(0, 3, 9, 14, 16, 18, 26, 31).reshape(1, 2, 2, 2)], kernel_shape=[2, 2], strides=[2, 2])
    case("larger", "MaxUnpool", opset, [y, i64(0, 3, 9, 14, 16, 18, 26, 31).reshape(1, 2, 2, 2), i64(1, 2, 5, 5)],
         constant=[2], kernel_shape=[2, 2], strides=[2, 2])


archive.write(sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "opsets.npz"), cases)
