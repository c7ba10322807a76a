#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the vectors of tests/test_op.c: what ONNX's reference evaluator and numpy make of small tensors.

python3 tests/data/op/make.py [folder]; needs numpy and onnx.  Made with onnx 1.23 and numpy 2.4."""
import json
import os
import sys

import numpy as np
import onnx
from onnx import helper
from onnx.reference import ReferenceEvaluator

NAMES = {"float32": "f32", "float16": "f16", "float64": "f64", "int8": "i8", "uint8": "u8", "int16": "i16",
         "uint16": "u16", "int32": "i32", "uint32": "u32", "int64": "i64", "uint64": "u64", "bool": "bool"}
rng = np.random.default_rng(7)
families = {}
family = None


def begin(name):
    global family
    family = families.setdefault(name, [])


def number(x):
    if isinstance(x, (np.bool_, bool)):
        return int(x)
    if isinstance(x, np.integer):
        return int(x) if x < 2 ** 63 else str(x)
    if np.isnan(x):
        return "nan"
    if np.isinf(x):
        return "inf" if x > 0 else "-inf"
    value = float(str(x.astype(np.float32))) if x.dtype != np.float64 else float(x)
    return int(value) if value == int(value) and abs(value) < 1e15 and (value or np.copysign(1, x) > 0) else value


def tensor(a):
    if a is None:
        return None
    a = np.asarray(a)
    return {"dtype": NAMES[a.dtype.name], "dims": list(a.shape), "values": [number(x) for x in a.reshape(-1)]}


def unknown(a):
    """A tensor whose elements are not known when shapes are inferred."""
    t = tensor(a)
    del t["values"]
    return t


def case(op, attributes, inputs, outputs=None, error=None, tolerance=None):
    inputs = [x if isinstance(x, dict) else tensor(x) for x in inputs]
    entry = {"op": op, "attributes": attributes, "inputs": inputs}
    if error is not None:
        entry["error"] = error
    else:
        entry["outputs"] = [tensor(x) for x in outputs]
    if tolerance is not None:
        entry["tolerance"] = tolerance
    family.append(entry)


def refuse(op, attributes, inputs, error):
    case(op, attributes, inputs, error=error)


def onnx_run(kind, inputs, outputs=1, opset=22, **attributes):
    """What ONNX's evaluator makes of it; inputs of None are absent."""
    names = ["" if x is None else "x%d" % i for i, x in enumerate(inputs)]
    node = helper.make_node(kind, names, ["y%d" % i for i in range(outputs)], **attributes)
    infos = [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(x.dtype), x.shape)
             for n, x in zip(names, inputs) if n]
    outs = [helper.make_tensor_value_info("y%d" % i, onnx.TensorProto.UNDEFINED, None) for i in range(outputs)]
    graph = helper.make_graph([node], "g", infos, outs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    return ReferenceEvaluator(model).run(None, {n: x for n, x in zip(names, inputs) if n})


def real(*shape, dtype=np.float32, scale=2.0):
    return np.round(rng.normal(size=shape) * scale, 2).astype(dtype)


def whole(*shape, low=-9, high=10, dtype=np.int64):
    return rng.integers(low, high, size=shape).astype(dtype)


def ints(*values, dtype=np.int64):
    return np.array(values, dtype=dtype)


# CASES
# ------------------------------------------------------------- one element at a time
begin("elementwise")
SPECIAL = np.array([0, -0.0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 3, -3.25, 20, -20, 100, -100, np.inf, -np.inf, np.nan],
                   np.float32)
PLAIN = {"abs": "Abs", "acos": "Acos", "acosh": "Acosh", "asin": "Asin", "asinh": "Asinh", "atan": "Atan",
         "atanh": "Atanh", "ceil": "Ceil", "cos": "Cos", "cosh": "Cosh", "erf": "Erf", "exp": "Exp", "floor": "Floor",
         "hard_swish": "HardSwish", "log": "Log", "mish": "Mish", "neg": "Neg", "reciprocal": "Reciprocal",
         "relu": "Relu", "round": "Round", "sigmoid": "Sigmoid", "sign": "Sign", "sin": "Sin", "sinh": "Sinh",
         "softplus": "Softplus", "softsign": "Softsign", "sqrt": "Sqrt", "tan": "Tan", "tanh": "Tanh",
         "celu": "Celu", "elu": "Elu", "hard_sigmoid": "HardSigmoid", "leaky_relu": "LeakyRelu", "selu": "Selu",
         "thresholded_relu": "ThresholdedRelu", "gelu": "Gelu", "is_nan": "IsNaN", "is_inf": "IsInf"}
TAME = np.array([0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 0.25, 3, -3.25, 8, -8], np.float32)
with np.errstate(all="ignore"):
    for function, kind in PLAIN.items():
        x = SPECIAL if function in ("abs", "ceil", "floor", "neg", "round", "sqrt", "relu", "sigmoid", "tanh", "exp",
                                    "is_nan", "is_inf", "reciprocal", "log", "erf") else TAME
        case("unary", {"function": function}, [x], onnx_run(kind, [x]))
    x = TAME
    case("unary", {"function": "gelu_tanh"}, [x], onnx_run("Gelu", [x], approximate="tanh"))
    case("unary", {"function": "silu"}, [x], [(x / (1 + np.exp(-x))).astype(np.float32)])
    case("unary", {"function": "silu", "alpha": 1.702}, [x], [(x / (1 + np.exp(-1.702 * x.astype(np.float64)))).astype(np.float32)])
    case("unary", {"function": "softplus"}, [np.array([100, -100, 50], np.float64)],
         [np.logaddexp(0, np.array([100, -100, 50], np.float64))])
    for function, kind, attributes in (("leaky_relu", "LeakyRelu", {"alpha": 0.3}), ("elu", "Elu", {"alpha": 2.0}),
                                       ("hard_sigmoid", "HardSigmoid", {"alpha": 0.5, "beta": 0.6}),
                                       ("selu", "Selu", {"alpha": 2.0, "gamma": 3.0}),
                                       ("thresholded_relu", "ThresholdedRelu", {"alpha": 2.0}),
                                       ("celu", "Celu", {"alpha": 2.0})):
        ours = {"beta" if k == "gamma" else k: v for k, v in attributes.items()}
        case("unary", {"function": function, **ours}, [x], onnx_run(kind, [x], **attributes))
    case("unary", {"function": "is_inf", "alpha": 0}, [SPECIAL], onnx_run("IsInf", [SPECIAL], detect_negative=0))
    case("unary", {"function": "is_inf", "beta": 0}, [SPECIAL], onnx_run("IsInf", [SPECIAL], detect_positive=0))
    case("unary", {"function": "clip", "low": -1.0, "high": 2.0}, [SPECIAL], [np.clip(SPECIAL, -1, 2)])
    case("unary", {"function": "clip"}, [SPECIAL], [SPECIAL])
    case("unary", {"function": "clip"}, [SPECIAL, None, np.float32(1.5)], [np.minimum(SPECIAL, np.float32(1.5))])
    x = whole(2, 5)
    case("unary", {"function": "clip"}, [x, np.int64(-3), np.int64(4)], [np.clip(x, -3, 4)])
    case("unary", {"function": "clip", "low": -1.5, "high": 2.5}, [x], [np.clip(x, -1, 2)])
    x = np.array([-128, -1, 0, 1, 127], np.int8)
    for function, kind in (("abs", np.abs), ("neg", np.negative), ("sign", np.sign)):
        case("unary", {"function": function}, [x], [kind(x)])
    case("unary", {"function": "relu"}, [x], [np.maximum(x, 0)])
    x = np.array([0, 1, 255], np.uint8)
    case("unary", {"function": "neg"}, [x], [np.negative(x)])
    x = np.array([0, 1, 2 ** 63 + 5], np.uint64)
    for function, kind in (("abs", np.abs), ("sign", np.sign)):
        case("unary", {"function": function}, [x], [kind(x)])
    x = np.array([True, False, True])
    case("unary", {"function": "not"}, [x], [~x])
    for dtype in (np.float16, np.float64):
        x = TAME.astype(dtype)
        case("unary", {"function": "exp"}, [x], [np.exp(x.astype(np.float64)).astype(dtype)])
        case("unary", {"function": "tanh"}, [x], [np.tanh(x.astype(np.float64)).astype(dtype)])
    case("unary", {"function": "relu"}, [np.zeros((2, 0, 3), np.float32)], [np.zeros((2, 0, 3), np.float32)])
    case("unary", {"function": "neg"}, [np.float32(3)], [np.float32(-3)])
    x = real(1, 1, 2, 1, 3, 1, 2, 1)
    case("unary", {"function": "abs"}, [x], [np.abs(x)])
    x = real(700)  # several chunks
    case("unary", {"function": "relu"}, [x], [np.maximum(x, 0)])
    refuse("unary", {"function": "exp"}, [ints(1, 2)], "the input has the type i64; expected one of: f32")
    refuse("unary", {"function": "not"}, [real(2)], "the input has the type f32; expected one of: bool")
    refuse("unary", {"function": "relu"}, [real(2), np.float32(0)], "only clip has bounds")
    refuse("unary", {"function": "clip"}, [real(2), np.float64(0)], "the lower bound has the type f64; expected f32")
    refuse("unary", {"function": "clip"}, [real(2), np.zeros(2, np.float32)], "the lower bound has 2 elements; expected 1")
    refuse("unary", {"function": "rellu"}, [real(2)], "expected one of abs,")
    refuse("unary", {"function": "relu", "gamma": 1.0}, [real(2)], 'unary has no attribute "gamma"')

    # binary
    for function, f in (("add", np.add), ("sub", np.subtract), ("mul", np.multiply), ("div", np.divide),
                        ("min", np.minimum), ("max", np.maximum), ("fmod", np.fmod), ("mod", np.mod),
                        ("equal", np.equal), ("less", np.less), ("less_or_equal", np.less_equal),
                        ("greater", np.greater), ("greater_or_equal", np.greater_equal)):
        a, b = real(2, 3), real(2, 3)
        b[0, 0] = a[0, 0]
        case("binary", {"function": function}, [a, b], [f(a, b)])
        a, b = real(3, 1, 4), real(2, 1)
        case("binary", {"function": function}, [a, b], [f(a, b)])
        a, b = SPECIAL[[0, 2, 15, 16, 17, 17]], SPECIAL[[2, 17, 15, 15, 2, 17]]
        if function not in ("fmod", "mod"):
            case("binary", {"function": function}, [a, b], [f(a, b)])
        a, b = whole(2, 5, dtype=np.int32), whole(5, dtype=np.int32)
        b[b == 0] = 3
        case("binary", {"function": function}, [a, b],
             [np.trunc(a / b).astype(np.int32) if function == "div" else f(a, b)])
    for dtype in (np.float16, np.float64):
        a, b = real(2, 3, dtype=dtype), real(3, dtype=dtype)
        case("binary", {"function": "add"}, [a, b], [a + b])
        case("binary", {"function": "div"}, [a, b], [(a.astype(np.float64) / b.astype(np.float64)).astype(dtype)])
    a, b = ints(100, -100, 127, dtype=np.int8), ints(100, -100, 2, dtype=np.int8)
    case("binary", {"function": "add"}, [a, b], [a + b])
    case("binary", {"function": "mul"}, [a, b], [a * b])
    a, b = ints(2 ** 31 - 1, -2 ** 31, dtype=np.int32), ints(1, -1, dtype=np.int32)
    case("binary", {"function": "add"}, [a, b], [a + b])
    case("binary", {"function": "mul"}, [a, b], [a * b])
    case("binary", {"function": "div"}, [ints(-2 ** 63, 7, -7, 7), ints(-1, -2, 2, 0)], [ints(-2 ** 63, -3, -3, 0)])
    case("binary", {"function": "mod"}, [ints(-2 ** 63, 7, -7, 7), ints(-1, -2, 2, 0)], [ints(0, -1, 1, 0)])
    a, b = np.array([2 ** 63 + 7, 5], np.uint64), np.array([3, 2 ** 63], np.uint64)
    for function, f in (("div", np.floor_divide), ("mod", np.mod), ("max", np.maximum), ("less", np.less)):
        case("binary", {"function": function}, [a, b], [f(a, b)])
    case("binary", {"function": "pow"}, [np.array([2, 9, -2, 0], np.float32), np.array([3, 0.5, 2, 0], np.float32)],
         [np.array([8, 3, 4, 1], np.float32)])
    case("binary", {"function": "pow"}, [np.array([2, -3], np.float32), ints(3, 3)], [np.array([8, -27], np.float32)])
    case("binary", {"function": "pow"}, [ints(2, -3, 3, -1, 1), ints(10, 3, 39, -3, -7)], [ints(1024, -27, 3 ** 39, -1, 1)])
    case("binary", {"function": "pow"}, [ints(2, 9, dtype=np.int32), np.array([3, 0.5], np.float32)],
         [ints(8, 3, dtype=np.int32)])
    a, b = real(2, 3, 4), np.abs(real(4))
    case("binary", {"function": "prelu"}, [a, b], onnx_run("PRelu", [a, b]))
    a, b = np.array([[True], [False]]), np.array([True, False])
    for function, f in (("and", np.logical_and), ("or", np.logical_or), ("xor", np.logical_xor), ("equal", np.equal)):
        case("binary", {"function": function}, [a, b], [f(a, b)])
    case("binary", {"function": "add"}, [np.zeros((0, 3), np.float32), real(1, 3)], [np.zeros((0, 3), np.float32)])
    case("binary", {"function": "add"}, [np.float32(1), np.float32(2)], [np.float32(3)])
    a, b = real(2, 1, 2, 1, 2, 1, 2, 1), real(1, 2, 1, 2, 1, 2, 1, 3)
    case("binary", {"function": "sub"}, [a, b], [a - b])
    a, b = real(2, 300), real(300)
    case("binary", {"function": "max"}, [a, b], [np.maximum(a, b)])
    refuse("binary", {"function": "add"}, [real(2, 3), real(2)], "shapes [2, 3] and [2] do not fit together")
    refuse("binary", {"function": "add"}, [real(2), ints(1, 2)], "the second input has the type i64; expected f32")
    refuse("binary", {"function": "and"}, [real(2), real(2)], "expected one of: bool")
    refuse("binary", {"function": "add"}, [np.array([True]), np.array([True])], "the first input has the type bool")
    refuse("binary", {"function": "add"}, [{"dtype": "f32", "dims": [65536, 1]}, {"dtype": "f32", "dims": [65536]}],
           "the output has the shape [65536, 65536]; expected fewer than 2^31 elements")

    # where, cast
    c, a, b = np.array([[True], [False], [True]]), real(3, 4), real(4)
    case("where", {}, [c, a, b], [np.where(c, a, b)])
    for dtype in (np.int8, np.float16, np.int64, np.bool_):
        a, b = whole(4, dtype=dtype), whole(4, dtype=dtype)
        c = np.array([True, False, True, False])
        case("where", {}, [c, a, b], [np.where(c, a, b)])
    case("where", {}, [np.bool_(False), np.float32(1), real(0, 2)], [np.zeros((0, 2), np.float32)])
    refuse("where", {}, [real(2), real(2), real(2)], "the condition has the type f32; expected one of: bool")
    refuse("where", {}, [np.array([True]), real(2), ints(1, 2)], "the third input has the type i64; expected f32")
    refuse("where", {}, [np.array([True, False, True]), real(2), real(2)], "do not fit together")
    x = np.array([0, 1.7, -1.7, 100.5, -100.5, 0.3], np.float32)
    for dtype in NAMES:
        if not dtype.startswith("u"):
            case("cast", {"to": NAMES[dtype]}, [x], [x.astype(dtype)])
    case("cast", {"to": "u8"}, [np.array([3.9, 255], np.float32)], [ints(3, 255, dtype=np.uint8)])
    case("cast", {"to": "i32"}, [np.array([3e9, -3e9, np.nan, np.inf], np.float32)],
         [ints(2 ** 31 - 1, -2 ** 31, 0, 2 ** 31 - 1, dtype=np.int32)])
    x = ints(0, 1, -1, 300, -300, 2 ** 40 + 5)
    for dtype in NAMES:
        if dtype not in ("float16",):
            case("cast", {"to": NAMES[dtype]}, [x], [x.astype(dtype)])
    case("cast", {"to": "f32"}, [np.array([True, False])], [np.array([1, 0], np.float32)])
    case("cast", {"to": "i64"}, [np.array([1.5, -2.5], np.float16)], [ints(1, -2)])
    case("cast", {"to": "f16"}, [np.array([1e5, 65504, 1e-8, 2049], np.float32)],
         [np.array([np.inf, 65504, 0, 2048], np.float16)])
    case("cast", {"to": "f64"}, [np.array([2 ** 63], np.uint64)], [np.array([2.0 ** 63])])
    refuse("cast", {"to": "f31"}, [real(2)], 'attribute "to" of cast is "f31"; expected one of f32,')

# ------------------------------------------------------------------ shapes and places
begin("places")
x = real(2, 3, 4)
for perm in ([], [0, 2, 1], [2, 0, 1], [0, 1, 2]):
    case("transpose", {"perm": perm} if perm else {}, [x], [np.transpose(x, perm or None)])
for dtype in (np.int8, np.float16, np.float64, np.bool_):
    y = whole(3, 5, dtype=dtype)
    case("transpose", {}, [y], [y.T])
x8 = real(2, 1, 2, 1, 3, 1, 2, 2)
case("transpose", {"perm": [7, 0, 6, 1, 5, 2, 4, 3]}, [x8], [np.transpose(x8, [7, 0, 6, 1, 5, 2, 4, 3])])
case("transpose", {}, [np.float32(2)], [np.float32(2)])
case("transpose", {}, [np.zeros((0, 3), np.float32)], [np.zeros((3, 0), np.float32)])
refuse("transpose", {"perm": [0, 1]}, [x], "perm has 2 numbers; expected 3")
refuse("transpose", {"perm": [0, 1, 1]}, [x], "perm has 1 at place 2; expected each of 0 to 2 once")
refuse("transpose", {"perm": [0, 1, 3]}, [x], "perm has 3 at place 2")
refuse("transpose", {"perm": [0, 1, 9]}, [x], 'attribute "perm" of transpose is 9; expected 0 to 7')

case("reshape", {"shape": [4, -1]}, [x], [x.reshape(4, -1)])
case("reshape", {}, [x, ints(0, 0, 2, 2)], [x.reshape(2, 3, 2, 2)])
case("reshape", {"allow_zero": True, "shape": [0, 5]}, [np.zeros((0, 3), np.float32)], [np.zeros((0, 5), np.float32)])
y = real(1, 1)
case("reshape", {}, [y, ints()], [y.reshape(())])
refuse("reshape", {"shape": [5, -1]}, [x], "cannot take the shape")
refuse("reshape", {"shape": [-1, -1]}, [x], "expected at most one -1")
refuse("reshape", {}, [x, unknown(ints(1, 2))], "expected a constant")
refuse("reshape", {"shape": [2147483647, 2147483647, 2147483647]}, [x], "cannot take the shape")

for shape in ((2, 3, 4), (1,), (5, 2, 3, 1), (2, 1, 4)):
    y = real(2, 3, 1)
    case("expand", {}, [y, ints(*shape)], [y * np.ones(shape, np.float32)])
y = whole(3, 1, dtype=np.int8)
case("expand", {"shape": [2, 1, 6]}, [y], [y * np.ones((2, 1, 6), np.int8)])
case("expand", {"shape": []}, [y], [y])
case("expand", {"shape": [0]}, [np.float32(4)], [np.zeros(0, np.float32)])
refuse("expand", {"shape": [4]}, [real(3)], "shapes [3] and [4] do not fit together")
refuse("expand", {}, [real(1), ints(2 ** 40)], "expected fewer than 2^31 elements")
refuse("expand", {}, [real(1), ints(-1)], "expected fewer than 2^31 elements")
refuse("expand", {}, [real(1), ints(65536, 65536)], "expected fewer than 2^31 elements")
refuse("expand", {}, [real(1), np.ones(9, np.int64)], "expected a list of at most 8 numbers")
refuse("expand", {}, [real(1), unknown(ints(3))], "the shape: known only when the network runs; expected a constant")
refuse("expand", {}, [real(1), np.ones(1, np.float32)], "the shape has the type f32")

y = real(2, 3)
for repeats in ((1, 1), (2, 3), (0, 2), (3, 1)):
    case("tile", {}, [y, ints(*repeats)], [np.tile(y, repeats)])
case("tile", {"repeats": [2, 1, 2, 1, 2, 1, 2, 1]}, [x8], [np.tile(x8, [2, 1, 2, 1, 2, 1, 2, 1])])
case("tile", {}, [np.float32(3), ints()], [np.float32(3)])
refuse("tile", {"repeats": [2]}, [y], "1 repeats; expected 2")
refuse("tile", {}, [y, ints(2, -1)], "repeats of -1 at place 1")
refuse("tile", {"repeats": [2147483647, 2147483647]}, [y], "expected fewer than 2^31 elements")
refuse("tile", {}, [y, ints(2 ** 62, 4)], "repeats of 4611686018427387904 at place 0")

a, b, c = real(2, 3, 2), real(2, 1, 2), real(2, 0, 2)
case("concat", {"axis": 1}, [a, b, c], [np.concatenate([a, b, c], 1)])
case("concat", {"axis": -1}, [a, a], [np.concatenate([a, a], -1)])
case("concat", {"axis": 0}, [a], [a])
case("concat", {"axis": 0}, [ints(1, 2), ints(), ints(3)], [ints(1, 2, 3)])
y = whole(1, 2, dtype=np.int8)
case("concat", {"axis": 1}, [y] * 20, [np.concatenate([y] * 20, 1)])
refuse("concat", {"axis": 3}, [a, b], "axis 3 of a tensor with 3 dimensions; expected -3 to 2")
refuse("concat", {"axis": 0}, [a, b], "input 2 has the shape [2, 1, 2], those before it together [2, 3, 2]")
refuse("concat", {"axis": 0}, [a, real(2)], "input 2 has the shape [2]")
refuse("concat", {"axis": 0}, [ints(1), real(2)], "input 2 has the type f32; expected i64")
refuse("concat", {"axis": 0}, [np.float32(1), np.float32(1)], "axis 0 of a tensor with 0 dimensions")
refuse("concat", {"axis": 0}, [a, None], "input 2 is missing")
refuse("concat", {"axis": 0}, [{"dtype": "f32", "dims": [2 ** 30]}] * 3, "expected fewer than 2^31 elements")

y = real(2, 7)
case("split", {"axis": 1}, [y], onnx_run("Split", [y], outputs=3, axis=1, num_outputs=3))
case("split", {"axis": -1}, [y, ints(3, 0, 4)], np.split(y, [3, 3], 1))
case("split", {"sizes": [1, 1]}, [y], np.split(y, 2, 0))
case("split", {}, [ints(1, 2, 3)], [ints(1), ints(2), ints(3)])
refuse("split", {"sizes": [3]}, [y], "part 1 has the size 3; expected 0 to the 2 that are left of 2")
refuse("split", {"sizes": [1, 1]}, [y], "2 sizes for 1 outputs; expected one each")
refuse("split", {"sizes": [1]}, [y], "the parts have 1 together; expected 2")
refuse("split", {}, [y, ints(-1)], "part 1 has the size -1")
refuse("split", {"axis": 2}, [y], "axis 2 of a tensor with 2 dimensions")

y = real(4, 6)
BIG = 2 ** 63 - 1
for starts, ends, axes, steps in (([1, 2], [3, 5], [0, 1], [1, 2]), ([-1], [-BIG - 1], [1], [-1]), ([1], [1000], None, None),
                                  ([-3, 0], [-1, BIG], [1, 0], None), ([5], [0], [1], [-2]), ([3], [1], [0], None),
                                  ([100], [-100], [0], [-3]), ([-100], [100], [1], [5]), ([0], [BIG], [1], [BIG]),
                                  ([5], [-BIG - 1], [1], [-BIG - 1])):
    index = [slice(None)] * 2
    for i, (s, e) in enumerate(zip(starts, ends)):
        step = steps[i] if steps else 1
        if step == -BIG - 1:
            step = -BIG
        index[axes[i] if axes else i] = slice(s, e, step)
    expected = y[tuple(index)]
    attributes = {"starts": starts, "ends": ends}
    attributes.update({"axes": axes} if axes else {})
    attributes.update({"steps": steps} if steps else {})
    case("slice", attributes, [y], [expected])
    case("slice", {}, [y, ints(*starts), ints(*ends), None if axes is None else ints(*axes),
                       None if steps is None else ints(*steps)], [expected])
case("slice", {}, [ints(5, 6, 7), ints(1, dtype=np.int32), ints(3, dtype=np.int32)], [ints(6, 7)])
case("slice", {}, [np.zeros((0, 3), np.float32), ints(0), ints(5)], [np.zeros((0, 3), np.float32)])
refuse("slice", {"starts": [0], "ends": [1], "steps": [0]}, [y], "a step of 0 along axis 0")
refuse("slice", {"starts": [0], "ends": [1, 2]}, [y], "2 numbers in the ends; expected 1")
refuse("slice", {"starts": [0], "ends": [1], "axes": [2]}, [y], "axis 2 of a tensor with 2 dimensions")
refuse("slice", {"starts": [0, 0], "ends": [1, 1], "axes": [1, -1]}, [y], "axis -1 is listed twice")
refuse("slice", {"starts": [0, 0, 0], "ends": [1, 1, 1]}, [y], "axis 2 of a tensor with 2 dimensions")
refuse("slice", {}, [y, unknown(ints(1)), ints(2)], "the starts: known only when the network runs")

y = real(3, 4)
for mode in ("constant", "reflect", "edge", "wrap"):
    for pads in ([1, 2, 0, 1], [0, 0, 0, 0], [0, 3, 2, 0]):
        width = [(pads[0], pads[2]), (pads[1], pads[3])]
        kw = {"constant_values": 1.5} if mode == "constant" else {}
        case("pad", {"mode": mode, "pads": pads, "value": 1.5}, [y], [np.pad(y, width, mode=mode, **kw)])
case("pad", {"mode": "reflect", "pads": [7, 5]}, [ints(1, 2, 3)], [np.pad(ints(1, 2, 3), (7, 5), mode="reflect")])
case("pad", {"mode": "wrap", "pads": [7, 5]}, [ints(1, 2, 3)], [np.pad(ints(1, 2, 3), (7, 5), mode="wrap")])
case("pad", {"mode": "reflect", "pads": [2, 2]}, [ints(1)], [ints(1, 1, 1, 1, 1)])
case("pad", {}, [y, ints(-1, 1, 0, -2), np.float32(9)], [np.pad(y[1:, :-2], [(0, 0), (1, 0)], constant_values=9)])
case("pad", {}, [y, ints(1, 2), None, ints(-1)], [np.pad(y, [(0, 0), (1, 2)])])
case("pad", {}, [whole(2, dtype=np.int8) * 0 + 3, ints(1, 1), np.int8(-7)], [ints(-7, 3, 3, -7, dtype=np.int8)])
case("pad", {"pads": [0] * 8 + [1] * 8}, [x8], [np.pad(x8, [(0, 1)] * 8)])
case("pad", {}, [np.zeros(0, np.float32), ints(1, 1), np.float32(2)], [np.array([2, 2], np.float32)])
refuse("pad", {"pads": [1, 1]}, [y], "2 pads; expected 4")
refuse("pad", {"pads": [-4, 0, 0, 0]}, [y], "pads of -4 and 0 (constant) at axis 0 of shape [3, 4]")
refuse("pad", {"pads": [1, 0], "mode": "edge"}, [np.zeros(0, np.float32)], "expected what leaves something")
refuse("pad", {}, [y, ints(0, 2 ** 62, 0, 0)], "expected less than 2^31")
refuse("pad", {"pads": [0, 2147483647, 0, 2147483647]}, [y], "expected fewer than 2^31 elements")
refuse("pad", {}, [y, ints(1, 1, 1, 1), np.int64(3)], "the value has the type i64; expected f32")
refuse("pad", {}, [y, ints(1, 1, 1, 1), real(2)], "the value has the shape [2]; expected one")

y = real(3, 4, 2)
for axis, index in ((0, ints(2, 0)), (1, ints(-1, 1, dtype=np.int32)), (-1, whole(2, 2, low=-2, high=2)), (1, np.int64(3)),
                    (0, ints())):
    case("gather", {"axis": axis}, [y, index], [np.take(y, index, axis)])
case("gather", {}, [ints(4, 5, 6), np.int64(1)], [np.int64(5)])
refuse("gather", {"axis": 0}, [y, ints(3)], "an index of 3; expected -3 to 2")
refuse("gather", {"axis": 0}, [y, ints(-4)], "an index of -4; expected -3 to 2")
refuse("gather", {"axis": 3}, [y, ints(0)], "axis 3 of a tensor with 3 dimensions")
refuse("gather", {"axis": 0}, [y, real(2)], "the indices has the type f32; expected one of: i32, i64")
refuse("gather", {"axis": 0}, [np.float32(1), ints(0)], "axis 0 of a tensor with 0 dimensions")
refuse("gather", {"axis": 0}, [x8, np.zeros((1, 1), np.int64)], "the output has 9 dimensions; expected at most 8")
for axis, index in ((1, whole(3, 5, 2, low=-4, high=4)), (0, whole(1, 4, 2, low=0, high=3)), (-1, whole(2, 3, 1, low=0, high=2))):
    case("gather_elements", {"axis": axis}, [y, index], onnx_run("GatherElements", [y, index], axis=axis)
         if index.shape[0] == 3 else [np.take_along_axis(y[tuple(slice(0, s) if d != axis % 3 else slice(None)
                                                                 for d, s in enumerate(index.shape))], index, axis)])
refuse("gather_elements", {"axis": 0}, [y, whole(3, 5, 2, low=0, high=2)], "the indices have the shape [3, 5, 2]")
refuse("gather_elements", {"axis": 0}, [y, ints(0)], "the indices have the shape [1]")
refuse("gather_elements", {"axis": 1}, [y, ints(4).reshape(1, 1, 1)], "an index of 4; expected -4 to 3")
for index, batch in ((ints(0, 1, 2, -1).reshape(2, 2), 0), (ints(0, 1).reshape(2, 1), 0), (ints(2, 3, 1), 0),
                     (ints(1, 0, 2).reshape(3, 1), 1), (whole(3, 5, 2, low=0, high=2), 1), (whole(3, 4, 1, low=0, high=2), 2)):
    case("gather_nd", {"batch_dims": batch}, [y, index], onnx_run("GatherND", [y, index], batch_dims=batch))
refuse("gather_nd", {}, [y, ints(0, 1, 2, 3)], "indices of shape [4] into a tensor of shape [3, 4, 2]")
refuse("gather_nd", {"batch_dims": 1}, [y, ints(0, 1).reshape(2, 1)], "of which they share 1 dimensions")
refuse("gather_nd", {}, [y, np.int64(0)], "expected tuples of 1 to 3 numbers")
refuse("gather_nd", {}, [y, ints(0, 4).reshape(1, 2)], "an index of 4; expected -4 to 3")
y = real(3, 4)
for reduction in ("none", "add", "mul", "max", "min"):
    index, updates = ints(1, 0, 2, 1, 0, 2).reshape(2, 3), real(2, 3)
    case("scatter_elements", {"axis": 0, "reduction": reduction}, [y, index, updates],
         onnx_run("ScatterElements", [y, index, updates], axis=0, reduction=reduction))
    index, updates = ints(0, 1, 2, -1, 0, 1).reshape(3, 2), real(3)
    case("scatter_nd", {"reduction": reduction}, [y, index, updates],
         onnx_run("ScatterND", [y, index, updates], reduction=reduction))
    index, updates = ints(2, 0).reshape(2, 1), real(2, 4)
    case("scatter_nd", {"reduction": reduction}, [y, index, updates],
         onnx_run("ScatterND", [y, index, updates], reduction=reduction))
    z, index, updates = whole(5, dtype=np.int32), ints(4, 1, -1).reshape(3, 1), whole(3, dtype=np.int32)
    case("scatter_nd", {"reduction": reduction}, [z, index, updates],
         onnx_run("ScatterND", [z, index, updates], reduction=reduction))
case("scatter_elements", {"axis": -1}, [y, np.zeros((0, 2), np.int64), real(0, 2)], [y])
refuse("scatter_elements", {"axis": 0}, [y, ints(3, 0).reshape(1, 2), real(1, 2)], "an index of 3; expected -3 to 2")
refuse("scatter_elements", {"axis": 0}, [y, ints(0, 0).reshape(1, 2), real(2, 1)], "with updates of [2, 1]")
refuse("scatter_elements", {"axis": 0}, [y, whole(1, 5, low=0, high=1), real(1, 5)], "no larger than the last")
refuse("scatter_nd", {}, [y, ints(0, 4).reshape(1, 2), real(1)], "an index of 4; expected -4 to 3")
refuse("scatter_nd", {}, [y, ints(0, 1).reshape(1, 2), real(2)], "with updates of [2] into an input of [3, 4]")
refuse("scatter_nd", {}, [y, ints(0, 1, 2).reshape(1, 3), real(1)], "expected a slice of the input")
refuse("scatter_nd", {}, [y, ints(0, 1).reshape(1, 2), ints(1)], "the updates has the type i64; expected f32")

y = real(2, 12, 2, 3)
nhwc = lambda a: np.moveaxis(a, 1, -1)
for mode in ("DCR", "CRD"):
    z = onnx_run("DepthToSpace", [y], blocksize=2, mode=mode)[0]
    case("depth_to_space", {"block": 2, "mode": mode.lower()}, [nhwc(y)], [nhwc(z)])
z = onnx_run("DepthToSpace", [y], blocksize=2)[0]
case("space_to_depth", {"block": 2}, [nhwc(z)], [nhwc(onnx_run("SpaceToDepth", [z], blocksize=2)[0])])
case("depth_to_space", {"block": 1}, [nhwc(y)], [nhwc(y)])
refuse("depth_to_space", {"block": 5}, [nhwc(y)], "12 channels; expected a multiple of 25")
refuse("depth_to_space", {"block": 2}, [real(4, 4)], "the input has the shape [4, 4]; expected 4 dimensions")
refuse("depth_to_space", {"block": 0}, [nhwc(y)], 'attribute "block" of depth_to_space is 0; expected 1 to')
refuse("space_to_depth", {"block": 2}, [nhwc(y)], "height 2 and width 3; expected multiples of the block, 2")

y = real(2, 3, 4)
for upper in (True, False):
    for k in (0, 1, -1, 100, -100):
        f = np.triu if upper else np.tril
        case("trilu", {"upper": upper}, [y, np.int64(k)], [f(y, k)])
refuse("trilu", {}, [real(3)], "the input has the shape [3]; expected 2 to 8 dimensions")
index = ints(0, 2, -1, 3, -4).reshape(5)
case("one_hot", {}, [index, np.int64(3), ints(5, 7)],
     [np.array([[7, 5, 5], [5, 5, 7], [5, 5, 7], [5, 5, 5], [5, 5, 5]], np.int64)])
index = whole(2, 3, low=0, high=4)
for axis in (0, 1, -1, -2):
    z = onnx_run("OneHot", [index, np.int64(4), np.array([0, 1], np.float32)], axis=axis)
    case("one_hot", {"axis": axis}, [index, ints(4), np.array([0, 1], np.float32)], z)
refuse("one_hot", {}, [index, np.int64(-1), ints(0, 1)], "a depth of -1; expected 0 to")
refuse("one_hot", {}, [index, unknown(np.int64(3)), ints(0, 1)], "the depth: known only when the network runs")
refuse("one_hot", {}, [index, np.int64(3), ints(0, 1, 2)], "the values has the shape [3]; expected [2]")
refuse("one_hot", {"axis": 3}, [index, np.int64(3), ints(0, 1)], "axis 3 of a tensor with 3 dimensions")
refuse("one_hot", {}, [index, np.int64(2 ** 31 - 1), ints(0, 1)], "expected fewer than 2^31 elements")

y = {"dtype": "f32", "dims": [2, 3, 4]}
for start, end in ((0, None), (1, None), (-1, None), (0, -1), (1, 2), (-10, 10), (2, 1)):
    attributes = {"start": start}
    if end is not None:
        attributes["end"] = end
    case("shape", attributes, [y], [np.array([2, 3, 4][slice(start, end)], np.int64)])
case("shape", {}, [np.float32(1)], [ints()])
case("constant_of_shape", {}, [ints(2, 3)], [np.zeros((2, 3), np.float32)])
case("constant_of_shape", {"value": 7, "dtype": "i64"}, [ints(4)], [np.full(4, 7)])
case("constant_of_shape", {}, [ints(2), ints(2 ** 60 + 1)], [np.full(2, 2 ** 60 + 1)])
case("constant_of_shape", {"dtype": "bool", "value": 1}, [ints()], [np.bool_(True)])
case("constant_of_shape", {}, [ints(0, 3)], [np.zeros((0, 3), np.float32)])
refuse("constant_of_shape", {}, [ints(-1)], "the output has the shape [-1]")
refuse("constant_of_shape", {}, [ints(2 ** 20, 2 ** 20)], "expected fewer than 2^31 elements")
refuse("constant_of_shape", {}, [unknown(ints(2))], "the shape: known only when the network runs")
refuse("constant_of_shape", {}, [np.ones(9, np.int64)], "expected a list of at most 8 numbers")
for start, limit, delta in ((0, 5, 1), (3, 20, 4), (5, -5, -3), (3, 3, 1), (3, 0, 1), (7, -2, -3)):
    case("range", {}, [np.int64(start), np.int64(limit), np.int64(delta)], [np.arange(start, limit, delta)])
case("range", {}, [np.float32(1), np.float32(2), np.float32(0.3)], onnx_run("Range", [np.float32(1), np.float32(2), np.float32(0.3)]))
case("range", {}, [np.int32(2), np.int32(9), np.int32(2)], [np.arange(2, 9, 2, np.int32)])
refuse("range", {}, [np.int64(0), np.int64(5), np.int64(0)], "has no end")
refuse("range", {}, [np.float32(0), np.float32(5), np.float32(0)], "has no end")
refuse("range", {}, [np.int64(-2 ** 63), np.int64(2 ** 63 - 1), np.int64(1)], "has no end, or more numbers than 2^31")
refuse("range", {}, [np.float32(0), np.float32(np.nan), np.float32(1)], "has no end")
refuse("range", {}, [np.int64(0), np.float32(5), np.int64(1)], "the limit has the type f32; expected i64")
refuse("range", {}, [np.int64(0), unknown(np.int64(5)), np.int64(1)], "the limit: known only when the network runs")

# --------------------------------------------------------------------------- along axes
begin("axes")
y = real(2, 3, 4)
REDUCE = {"mean": "Mean", "sum": "Sum", "max": "Max", "min": "Min", "prod": "Prod", "l1": "L1", "l2": "L2",
          "log_sum": "LogSum", "log_sum_exp": "LogSumExp", "sum_square": "SumSquare"}
with np.errstate(all="ignore"):
    for function, kind in REDUCE.items():
        v = np.abs(y) if function == "log_sum" else y
        for axes in ([1], [0, 2], [-1], [0, 1, 2]):
            case("reduce", {"function": function, "axes": axes}, [v],
                 onnx_run("Reduce" + kind, [v, ints(*axes)]))
        case("reduce", {"function": function, "keep_dims": False}, [v, ints(1, -1)],
             onnx_run("Reduce" + kind, [v, ints(1, -1)], keepdims=0))
        case("reduce", {"function": function}, [v], onnx_run("Reduce" + kind, [v]))
    for function, f in (("sum", np.sum), ("max", np.max), ("min", np.min), ("prod", np.prod)):
        z = whole(3, 5, low=-5, high=6, dtype=np.int32)
        case("reduce", {"function": function, "axes": [1]}, [z], [f(z, 1, keepdims=True).astype(np.int32)])
        z = whole(3, 5, low=-5, high=6, dtype=np.int8)
        case("reduce", {"function": function, "axes": [0], "keep_dims": False}, [z], [f(z, 0).astype(np.int8)])
        z = real(2, 600, dtype=np.float16)
        if function != "prod":
            case("reduce", {"function": function, "axes": [1]}, [z],
                 [f(z.astype(np.float64), 1, keepdims=True).astype(np.float16)])
    z = np.array([[True, False], [False, False], [True, True]])
    case("reduce", {"function": "max", "axes": [1]}, [z], [z.max(1, keepdims=True)])
    case("reduce", {"function": "min", "axes": [1]}, [z], [z.min(1, keepdims=True)])
    case("reduce", {"function": "mean", "axes": [0]}, [ints(5, 6, 8)], [ints(6)])
    case("reduce", {"function": "l2", "axes": [0]}, [ints(3, 4)], [ints(5)])
    case("reduce", {"function": "max", "axes": [0]}, [np.array([1, np.nan, 3], np.float32)], [np.array([np.nan], np.float32)])
    case("reduce", {"function": "log_sum_exp", "axes": [0]}, [np.array([1000, 1000], np.float32)],
         [np.array([1000 + np.log(2)], np.float32)])
    case("reduce", {"function": "log_sum_exp", "axes": [0]}, [np.array([-np.inf, -np.inf], np.float32)],
         [np.array([-np.inf], np.float32)])
    for function, value in (("sum", 0), ("prod", 1), ("max", -np.inf), ("min", np.inf), ("mean", np.nan),
                            ("log_sum_exp", -np.inf), ("l2", 0)):
        case("reduce", {"function": function, "axes": [1]}, [np.zeros((2, 0), np.float32)],
             [np.full((2, 1), value, np.float32)])
    case("reduce", {"function": "max", "axes": [0]}, [np.zeros(0, np.int8)], [ints(-128, dtype=np.int8)])
    case("reduce", {"function": "min", "axes": [0]}, [np.zeros(0, np.uint16)], [ints(65535, dtype=np.uint16)])
    case("reduce", {"function": "sum_square", "noop_with_empty_axes": True}, [y], [y * y])
    case("reduce", {"function": "sum"}, [np.float32(3)], [np.float32(3)])
    case("reduce", {"function": "sum", "axes": [1, 3, 5, 7]}, [x8], [x8.sum((1, 3, 5, 7), keepdims=True)])
    case("reduce", {"function": "max", "axes": [0, 4]}, [x8], [x8.max((0, 4), keepdims=True)])
refuse("reduce", {"function": "sum", "axes": [3]}, [y], "axis 3 of a tensor with 3 dimensions")
refuse("reduce", {"function": "sum", "axes": [1, -2]}, [y], "axis -2 is listed twice")
refuse("reduce", {"function": "sum"}, [y, unknown(ints(1))], "the axes: known only when the network runs")
refuse("reduce", {"function": "sum"}, [np.array([True])], "the input has the type bool")
refuse("reduce", {"function": "median"}, [y], "expected one of mean, sum")

z = np.array([[1, 3, 3, 0], [2, 2, -1, -1]], np.float32)
for last in (0, 1):
    for axis in (0, 1, -1):
        for keep in (1, 0):
            for op, kind in (("arg_max", "ArgMax"), ("arg_min", "ArgMin")):
                case(op, {"axis": axis, "keep_dims": bool(keep), "select_last_index": bool(last)}, [z],
                     onnx_run(kind, [z], axis=axis, keepdims=keep, select_last_index=last))
case("arg_max", {}, [whole(5, dtype=np.int8) * 0 + np.array([1, 5, 2, 5, -3], np.int8)], [ints(1)])
case("arg_max", {}, [np.array([1, np.nan, 3], np.float32)], [ints(1)])
case("arg_min", {"axis": 1}, [np.zeros((0, 2), np.float32)], [np.zeros((0, 1), np.int64)])
refuse("arg_max", {"axis": 1}, [np.zeros((2, 0), np.float32)], "there is nothing along axis 1")
refuse("arg_min", {"axis": 2}, [z], "axis 2 of a tensor with 2 dimensions")
refuse("arg_max", {}, [np.array([True])], "the input has the type bool")

for axis in (0, 1, -1):
    for exclusive in (0, 1):
        for reverse in (0, 1):
            v = real(2, 5)
            case("cum_sum", {"axis": axis, "exclusive": bool(exclusive), "reverse": bool(reverse)}, [v],
                 onnx_run("CumSum", [v, np.int64(axis)], exclusive=exclusive, reverse=reverse))
case("cum_sum", {}, [whole(4, dtype=np.int32) * 0 + 2, np.int32(0)], [ints(2, 4, 6, 8, dtype=np.int32)])
refuse("cum_sum", {}, [y, np.int64(3)], "axis 3 of a tensor with 3 dimensions")
refuse("cum_sum", {}, [y, real(1)], "the axis has the type f32")

for axis in (0, 1, -1):
    for op, kind in (("softmax", "Softmax"), ("log_softmax", "LogSoftmax")):
        case(op, {"axis": axis}, [y], onnx_run(kind, [y], axis=axis))
v = np.array([[1000, 1001, -1000]], np.float32)
case("softmax", {}, [v], onnx_run("Softmax", [v]))
case("log_softmax", {}, [v], [(v - 1001 - np.log1p(np.exp(-1.0))).astype(np.float32)])
v = real(3, 2, dtype=np.float16)
case("softmax", {}, [v], onnx_run("Softmax", [v]))
case("softmax", {}, [np.zeros((2, 0), np.float32)], [np.zeros((2, 0), np.float32)])
case("softmax", {}, [np.array([0, -np.inf], np.float32)], [np.array([1, 0], np.float32)])
refuse("softmax", {}, [ints(1)], "the input has the type i64")
refuse("softmax", {}, [np.float32(1)], "axis -1 of a tensor with 0 dimensions")
refuse("log_softmax", {"axis": 3}, [y], "axis 3 of a tensor with 3 dimensions")

v = np.array([[5, 1, 5, 3], [2, 8, 8, 9], [0, -1, 4, 4]], np.float32)
for axis in (0, 1, -1):
    for largest in (1, 0):
        for k in (1, 2, 3, 0):
            case("top_k", {"axis": axis, "largest": bool(largest)}, [v, ints(k)],
                 onnx_run("TopK", [v, ints(k)], outputs=2, axis=axis, largest=largest) if k else
                 [np.zeros((0, 4) if axis == 0 else (3, 0), np.float32), np.zeros((0, 4) if axis == 0 else (3, 0), np.int64)])
case("top_k", {"k": 2}, [ints(2 ** 62 + 1, 2 ** 62, 2 ** 62 + 2)], [ints(2 ** 62 + 2, 2 ** 62 + 1), ints(2, 0)])
refuse("top_k", {"k": 5}, [v], "k is 5; expected 0 to the 4 along axis 1")
refuse("top_k", {}, [v, ints(-1)], "k is -1; expected 0 to")
refuse("top_k", {}, [v, unknown(ints(1))], "k: known only when the network runs")
refuse("top_k", {}, [v, ints(1, 2)], "k: a tensor of shape [2]; expected one number")

boxes = np.array([[[0, 0, 1, 1], [0, 0.1, 1, 1.1], [0, -0.1, 1, 0.9], [0, 10, 1, 11], [0, 10.1, 1, 11.1], [0, 100, 1, 101]]],
                 np.float32)
scores = np.array([[[0.9, 0.75, 0.6, 0.95, 0.5, 0.3]]], np.float32)
case("non_max_suppression", {}, [boxes, scores, ints(3), np.array([0.5], np.float32), np.array([0], np.float32)],
     [ints(0, 0, 3, 0, 0, 0, 0, 0, 5).reshape(3, 3)])
case("non_max_suppression", {"max_boxes": 30, "iou_threshold": 0.5, "score_threshold": 0.4}, [boxes, scores],
     [ints(0, 0, 3, 0, 0, 0).reshape(2, 3)])
case("non_max_suppression", {"max_boxes": 2, "iou_threshold": 0.5}, [boxes[:, :, [2, 3, 0, 1]], scores],
     [ints(0, 0, 3, 0, 0, 0).reshape(2, 3)])
center = np.array([[[0.5, 0.5, 1, 1], [0.5, 0.6, 1, 1], [0.5, 0.4, 1, 1], [0.5, 10.5, 1, 1], [0.5, 10.6, 1, 1],
                    [0.5, 100.5, 1, 1]]], np.float32)
case("non_max_suppression", {"center_point_box": True, "max_boxes": 3, "iou_threshold": 0.5}, [center, scores],
     [ints(0, 0, 3, 0, 0, 0, 0, 0, 5).reshape(3, 3)])
case("non_max_suppression", {}, [boxes, scores], [np.zeros((0, 3), np.int64)])
case("non_max_suppression", {"max_boxes": 10, "iou_threshold": 0.5}, [boxes[:, :1].repeat(10, 1), np.full((1, 1, 10), 0.9, np.float32)],
     [ints(0, 0, 0).reshape(1, 3)])
case("non_max_suppression", {"max_boxes": 2, "iou_threshold": 0.5}, [boxes.repeat(2, 0), scores.repeat(2, 0).repeat(2, 1)],
     [ints(0, 0, 3, 0, 0, 0, 0, 1, 3, 0, 1, 0, 1, 0, 3, 1, 0, 0, 1, 1, 3, 1, 1, 0).reshape(8, 3)])
case("non_max_suppression", {"max_boxes": 5}, [np.zeros((1, 0, 4), np.float32), np.zeros((1, 2, 0), np.float32)],
     [np.zeros((0, 3), np.int64)])
refuse("non_max_suppression", {}, [boxes, scores[0]], "expected [batch, boxes, 4] and [batch, classes, boxes]")
refuse("non_max_suppression", {}, [boxes, scores[:, :, :5]], "boxes of shape [1, 6, 4] with scores of shape [1, 1, 5]")
refuse("non_max_suppression", {}, [boxes, scores, unknown(ints(3))], "the number of boxes: known only when the network runs")
v = np.array([[1, 0, 3], [0, 0, -2]], np.float32)
case("non_zero", {}, [v], [np.array(np.nonzero(v))])
case("non_zero", {}, [np.array([True, False, True])], [ints(0, 2).reshape(1, 2)])
case("non_zero", {}, [np.zeros((2, 2), np.int8)], [np.zeros((2, 0), np.int64)])
case("non_zero", {}, [np.float32(4)], [np.zeros((0, 1), np.int64)])
refuse("non_zero", {}, [{"dtype": "f32", "dims": [2 ** 16, 2 ** 15 - 1]}], "expected fewer than 2^31 elements")

for a, b in (((3, 4), (4, 5)), ((4,), (4, 5)), ((3, 4), (4,)), ((4,), (4,)), ((2, 3, 4), (4, 5)), ((2, 3, 4), (2, 4, 5)),
             ((2, 1, 3, 4), (3, 4, 2)), ((3, 4), (2, 3, 4, 2)), ((5, 1), (1, 5)), ((1, 1, 1, 1, 1, 2, 2, 3), (2, 1, 1, 1, 1, 1, 3, 2)),
             ((2, 2, 3), (3,)), ((3,), (2, 3, 2)), ((0, 3), (3, 2)), ((2, 0), (0, 3)), ((5, 7), (7, 300))):
    p, q = real(*a), real(*b)
    case("matmul", {}, [p, q], [np.matmul(p.astype(np.float64), q.astype(np.float64)).astype(np.float32)])
for dtype in (np.int32, np.int64, np.uint32, np.uint64):
    p, q = whole(3, 4, low=0, dtype=dtype), whole(4, 2, low=0, dtype=dtype)
    case("matmul", {}, [p, q], [np.matmul(p, q)])
p = ints(-5, 2 ** 31 - 1, dtype=np.int32)
case("matmul", {}, [p, ints(3, 2, dtype=np.int32)], [(p * ints(3, 2, dtype=np.int32)).sum(dtype=np.int32)])
for dtype in (np.float16, np.float64):
    p, q = real(2, 3, 4, dtype=dtype), real(4, 2, dtype=dtype)
    case("matmul", {}, [p, q], [np.matmul(p.astype(np.float64), q.astype(np.float64)).astype(dtype)])
refuse("matmul", {}, [real(2, 3), real(2, 3)], "matrices of shape [2, 3] and [2, 3]")
refuse("matmul", {}, [np.float32(1), real(1)], "matrices of shape [] and [1]")
refuse("matmul", {}, [real(2, 2, 3), real(3, 3, 2)], "shapes [2] and [3] do not fit together")
refuse("matmul", {}, [real(2, 3), real(3, 2).astype(np.float64)], "the second input has the type f64; expected f32")
refuse("matmul", {}, [{"dtype": "f32", "dims": [65536, 1]}, {"dtype": "f32", "dims": [1, 65536]}], "expected fewer than 2^31 elements")
# END

folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
for name, entries in families.items():
    with open(os.path.join(folder, name + ".json"), "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(e, separators=(",", ":")) for e in entries) + "\n]\n")
    print(name, len(entries))
