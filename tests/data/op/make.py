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
huge = {"dtype": "f32", "dims": [2 ** 30, 2 ** 30, 2 ** 30, 0], "values": []}
for op in ("cum_sum", "softmax", "transpose"):
    family.append({"op": op, "attributes": {}, "inputs": [huge], "outputs": [dict(huge, dims=huge["dims"][::-1 if op == "transpose" else 1])]})
refuse("reduce", {"function": "sum", "axes": [3]}, [huge], "expected fewer than 2^31 elements")
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

# ------------------------------------------------------------ windows and normalisation
begin("windows")


def pool(op, x, **attributes):
    """A case of ONNX's attributes; x is NCHW."""
    names = {"kernel_shape": "kernel", "count_include_pad": "count_include_pad"}
    ours = {names.get(k, k): (bool(v) if k in ("ceil_mode", "count_include_pad") else v.lower() if k == "auto_pad" else v)
            for k, v in attributes.items()}
    kind = "MaxPool" if op == "max_pool" else "AveragePool"
    if attributes.get("auto_pad", "").startswith("SAME"):  # which the evaluator has wrong
        auto, pads = attributes.pop("auto_pad"), []
        for size, window, stride in zip(x.shape[2:], attributes["kernel_shape"], attributes["strides"]):
            total = max((-(-size // stride) - 1) * stride + window - size, 0)
            pads.append((total // 2, total - total // 2)[::1 if auto == "SAME_UPPER" else -1])
        attributes["pads"] = [a for a, _ in pads] + [b for _, b in pads]
    case(op, ours, [nhwc(x)], [nhwc(onnx_run(kind, [x], **attributes)[0])])


y = real(2, 3, 7, 8)
for op in ("max_pool", "average_pool"):
    pool(op, y, kernel_shape=[3, 2])
    pool(op, y, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    pool(op, y, kernel_shape=[2, 3], strides=[2, 1], pads=[0, 1, 1, 2])
    pool(op, y, kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)
    pool(op, y, kernel_shape=[2, 2], strides=[3, 3], ceil_mode=1)
    pool(op, y, kernel_shape=[2, 2], dilations=[2, 3])
    for auto in ("SAME_UPPER", "SAME_LOWER", "VALID"):
        pool(op, y, kernel_shape=[2, 3], strides=[2, 2], auto_pad=auto)
    pool(op, real(1, 2, 9), kernel_shape=[3], strides=[2])
    pool(op, real(1, 2, 4, 5, 6), kernel_shape=[2, 2, 3], strides=[1, 2, 1], pads=[0, 1, 0, 1, 0, 1])
pool("average_pool", y, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], count_include_pad=1)
pool("average_pool", y, kernel_shape=[3, 3], strides=[3, 3], pads=[1, 1, 0, 0], count_include_pad=1)
# The last window of each row hangs over the padding: 7 + 2 places, windows at 0, 3, 6 of 4.
y1 = np.arange(1, 8, dtype=np.float32).reshape(1, 7, 1)
case("average_pool", {"kernel": [4], "strides": [3], "pads": [1, 1], "ceil_mode": True, "count_include_pad": True}, [y1],
     [np.array([6 / 4, 18 / 4, 13 / 3], np.float32).reshape(1, 3, 1)])
case("average_pool", {"kernel": [4], "strides": [3], "pads": [1, 1], "ceil_mode": True}, [y1],
     [np.array([2, 18 / 4, 13 / 2], np.float32).reshape(1, 3, 1)])
case("max_pool", {"kernel": [2]}, [np.array([1, np.nan, 3, 2], np.float32).reshape(1, 4, 1)],
     [np.array([np.nan, np.nan, 3], np.float32).reshape(1, 3, 1)])
case("max_pool", {"kernel": [2]}, [ints(-5, -7, -128, -100, dtype=np.int8).reshape(1, 4, 1)],
     [ints(-5, -7, -100, dtype=np.int8).reshape(1, 3, 1)])
case("max_pool", {"kernel": [2], "strides": [2]}, [real(2, 4, 1).astype(np.float16) * 0 + 2], [np.full((2, 2, 1), 2, np.float16)])
z = real(1, 4, 300)
case("max_pool", {"kernel": [2], "strides": [2]}, [z], [np.maximum(z[:, ::2], z[:, 1::2])])
case("max_pool", {"kernel": [2]}, [np.zeros((0, 4, 2), np.float32)], [np.zeros((0, 3, 2), np.float32)])
n = nhwc(y)
refuse("max_pool", {"kernel": [2]}, [n], "the input has the shape [2, 7, 8, 3]; expected 3 dimensions")
refuse("max_pool", {"kernel": [8, 2]}, [n], "a window of 8 (dilation 1) in spatial dimension 0 of an input of shape [2, 7, 8, 3]")
refuse("max_pool", {"kernel": [2, 2], "strides": [1]}, [n], "1 numbers in strides; expected 2")
refuse("max_pool", {"kernel": [2, 2], "pads": [1, 1]}, [n], "2 numbers in pads; expected 4")
refuse("max_pool", {"kernel": [2, 2], "strides": [0, 1]}, [n], 'attribute "strides" of max_pool is 0; expected 1 to')
refuse("max_pool", {"kernel": []}, [n], 'attribute "kernel" of max_pool has 0 numbers; expected 1 to 3')
refuse("average_pool", {"kernel": [2, 2], "pads": [-1, 0, 0, 0]}, [n], 'attribute "pads" of average_pool is -1')
refuse("average_pool", {"kernel": [2, 2]}, [nhwc(real(1, 1, 2, 2)).astype(np.int64)], "the input has the type i64")
refuse("max_pool", {"kernel": [1, 1], "pads": [1 << 24] * 4}, [n], "expected fewer than 2^31 elements")

y = real(2, 6, 2, 3)


def lrn(x, size, alpha=1e-4, beta=0.75, bias=1.0):
    """By the formula of ONNX's documentation; the evaluator goes over as many channels as there are images."""
    x = x.astype(np.float64)
    sums = np.zeros_like(x)
    for c in range(x.shape[-1]):
        sums[..., c] = (x[..., max(0, c - (size - 1) // 2):c + -(-(size - 1) // 2) + 1] ** 2).sum(-1)
    return (x / (bias + alpha / size * sums) ** beta).astype(np.float32)


for size in (1, 2, 3, 4, 9):
    case("lrn", {"size": size, "alpha": 0.5, "beta": 0.6, "bias": 1.5}, [nhwc(y)], [lrn(nhwc(y), size, 0.5, 0.6, 1.5)])
case("lrn", {"size": 3}, [nhwc(y)], [lrn(nhwc(y), 3)])
refuse("lrn", {"size": 0}, [nhwc(y)], 'attribute "size" of lrn is 0')
refuse("lrn", {"size": 3}, [np.float32(1)], "the input has the shape []; expected 1 to 8 dimensions")
refuse("lrn", {"size": 3}, [ints(1)], "the input has the type i64")

s, b, m, v = real(6), real(6), real(6), np.abs(real(6))
case("batch_norm", {}, [nhwc(y), s, b, m, v], [nhwc(onnx_run("BatchNormalization", [y, s, b, m, v])[0])])
case("batch_norm", {"epsilon": 0.1}, [nhwc(y), s, b, m, v], [nhwc(onnx_run("BatchNormalization", [y, s, b, m, v], epsilon=0.1)[0])])
case("batch_norm", {}, [np.zeros((0, 6), np.float32), s, b, m, v], [np.zeros((0, 6), np.float32)])
refuse("batch_norm", {}, [nhwc(y), s, b, m, real(5)], "the variance has the shape [5]; expected [6]")
refuse("batch_norm", {}, [nhwc(y), s.reshape(1, 6), b, m, v], "the scale has the shape [1, 6]; expected [6]")
refuse("batch_norm", {}, [nhwc(y), ints(1, 2, 3, 4, 5, 6), b, m, v], "the scale has the type i64")
case("instance_norm", {}, [nhwc(y), s, b], [nhwc(onnx_run("InstanceNormalization", [y, s, b])[0])], tolerance=2e-5)
case("instance_norm", {"epsilon": 0.1}, [real(2, 5, 3) * 0 + 4, real(3) * 0 + 1, np.array([1, 2, 3], np.float32)],
     [np.broadcast_to(np.array([1, 2, 3], np.float32), (2, 5, 3))])
refuse("instance_norm", {}, [nhwc(y), s, real(5)], "the bias has the shape [5]; expected [6]")
refuse("instance_norm", {}, [real(6), s, b], "the input has the shape [6]; expected 2 to 8 dimensions")
for groups in (1, 2, 3, 6):
    case("group_norm", {"groups": groups}, [nhwc(y), s, b],
         [nhwc(onnx_run("GroupNormalization", [y, s, b], num_groups=groups)[0])], tolerance=2e-5)
refuse("group_norm", {"groups": 4}, [nhwc(y), s, b], "6 channels in 4 groups")
refuse("group_norm", {"groups": 0}, [nhwc(y), s, b], 'attribute "groups" of group_norm is 0')
y = real(2, 3, 4)
for axis in (-1, 1, 0, 2):
    shape = y.shape[axis:] if axis >= 0 else y.shape[-1:]
    s, b = real(*shape), real(*shape)
    case("layer_norm", {"axis": axis}, [y, s, b], onnx_run("LayerNormalization", [y, s, b], outputs=3, axis=axis), tolerance=2e-5)
    case("layer_norm", {"axis": axis}, [y, s], onnx_run("LayerNormalization", [y, s], axis=axis), tolerance=2e-5)
case("layer_norm", {"epsilon": 0.5}, [y, real(1) * 0 + 2], [(2 * (y - y.mean(-1, keepdims=True)) /
     np.sqrt(y.var(-1, keepdims=True) + 0.5)).astype(np.float32)], tolerance=2e-5)
z = y.astype(np.float16)
case("layer_norm", {}, [z, np.ones(4, np.float16)], [((z - z.mean(-1, keepdims=True, dtype=np.float64)) /
     np.sqrt(z.var(-1, keepdims=True, dtype=np.float64) + 1e-5)).astype(np.float16)], tolerance=4e-3)
case("layer_norm", {}, [np.zeros((2, 0), np.float32), np.zeros(0, np.float32)],
     [np.zeros((2, 0), np.float32), np.full((2, 1), np.nan, np.float32)])
refuse("layer_norm", {}, [y, real(3)], "shapes [2, 3, 4] and [3] do not fit together")
refuse("layer_norm", {}, [y, real(2, 2, 3, 4)], "the scale has the shape [2, 2, 3, 4]; expected one that broadcasts to [2, 3, 4]")
refuse("layer_norm", {"axis": 3}, [y, real(4)], "axis 3 of a tensor with 3 dimensions")


def resize(x, scales=None, sizes=None, roi=None, **attributes):
    names = {"coordinate_transformation_mode": "coordinates", "cubic_coeff_a": "cubic_coeff_a"}
    ours = {names.get(k, k): (bool(v) if k == "exclude_outside" else v) for k, v in attributes.items()}
    f = lambda a, t: None if a is None else np.array(a, t)
    inputs = [x, f(roi, np.float32), f(scales, np.float32), f(sizes, np.int64)]
    while inputs[-1] is None:
        inputs.pop()
    case("resize", ours, inputs, onnx_run("Resize", inputs, **attributes), tolerance=1e-5)


y = real(1, 1, 4, 5)
for mode in ("nearest", "linear", "cubic"):
    for how in ("half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric"):
        for scales in ([1, 1, 2, 3], [1, 1, 0.6, 0.6], [1, 1, 1.5, 0.4]):
            resize(y, scales=scales, mode=mode, coordinate_transformation_mode=how)
        resize(y, sizes=[1, 1, 3, 7], mode=mode, coordinate_transformation_mode=how)
    for roi, extra in (([0, 0, 0.41, 0.6, 1, 1, 0.63, 0.83], 0.0), ([0, 0, -0.2, 0.4, 1, 1, 0.8, 1.7], 10.0),
                       ([0, 0, 0.9, 0.8, 1, 1, 0.1, 0.2], 0.0)):
        resize(y, sizes=[1, 1, 3, 4], roi=roi, mode=mode, coordinate_transformation_mode="tf_crop_and_resize",
               extrapolation_value=extra)
    for policy in ("not_larger", "not_smaller"):
        resize(y, sizes=[7, 8], axes=[2, 3], mode=mode, keep_aspect_ratio_policy=policy)
    resize(y, scales=[2, 0.5], axes=[3, 2], mode=mode)
    resize(real(3, 4, 2), scales=[1, 2.5, 1], mode=mode)
    resize(real(5), scales=[1.7], mode=mode)
for nearest in ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil"):
    for how in ("half_pixel", "asymmetric", "align_corners"):
        resize(y, scales=[1, 1, 2, 1.5], mode="nearest", nearest_mode=nearest, coordinate_transformation_mode=how)
        resize(y, sizes=[1, 1, 7, 3], mode="nearest", nearest_mode=nearest, coordinate_transformation_mode=how)
resize(y, scales=[1, 1, 2, 0.6], mode="cubic", cubic_coeff_a=-0.5)
resize(y, scales=[1, 1, 2, 0.8], mode="cubic", exclude_outside=1)
resize(y, scales=[1, 1, 2, 0.8], mode="linear", exclude_outside=1)
x3 = real(2, 3, 4, 2)
resize(x3, scales=[1.5, 2, 0.5, 1], mode="linear", coordinate_transformation_mode="asymmetric")
case("resize", {"sizes": [2, 6], "nearest_mode": "floor", "coordinates": "asymmetric"},
     [ints(2 ** 60 + 1, 7, -3).reshape(1, 3)], [ints(2 ** 60 + 1, 7, -3).repeat(2).reshape(1, 6).repeat(2, 0)])
case("resize", {"axes": [0], "sizes": [2]}, [np.array([[True], [False], [True], [False]])], onnx_run("Resize", [np.array([[1], [0], [1], [0]], np.float32), None, None, ints(2, 1)], mode="nearest")[0].astype(bool)[None])
case("resize", {"nearest_mode": "floor", "coordinates": "asymmetric"}, [np.arange(10, dtype=np.float32), None, np.array([0.7], np.float32)],
     [np.array([0, 1, 2, 4, 5, 7, 8], np.float32)])
case("resize", {"nearest_mode": "floor", "coordinates": "asymmetric"}, [np.arange(20, dtype=np.float32), None, np.array([1.1], np.float32)],
     [np.array([0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19], np.float32)])
case("resize", {"sizes": [0, 3]}, [real(2, 3)], [np.zeros((0, 3), np.float32)])
refuse("resize", {}, [y], "there are no scales and no sizes")
refuse("resize", {"sizes": [1, 1, 2, 2]}, [y, None, real(4)], "there are scales and sizes")
refuse("resize", {"sizes": [2, 2]}, [y], "2 sizes; expected 4")
refuse("resize", {}, [y, None, np.array([1, 1], np.float32)], "the scales have the shape [2]; expected [4]")
refuse("resize", {}, [y, None, np.array([1, 1, -1, 1], np.float32)], "a scale of -1 for 4 elements")
refuse("resize", {}, [y, None, np.array([1, 1, np.nan, 1], np.float32)], "a scale of nan for 4 elements")
refuse("resize", {}, [y, None, np.array([1, 1, 1e30, 1], np.float32)], "and makes fewer than 2^31")
refuse("resize", {}, [y, None, np.array([1, 1, 1e5, 1e5], np.float32)], "expected fewer than 2^31 elements")
refuse("resize", {}, [y, None, unknown(np.ones(4, np.float32))], "the scales: known only when the network runs")
refuse("resize", {}, [y, None, None, ints(1, 1, -2, 2)], "a size of -2 for 4 elements")
refuse("resize", {"sizes": [3]}, [np.zeros(0, np.float32)], "a size of 3 for 0 elements")
refuse("resize", {"coordinates": "tf_crop_and_resize", "sizes": [1, 1, 2, 2]}, [y], "there is no region of interest")
refuse("resize", {"coordinates": "tf_crop_and_resize", "sizes": [1, 1, 2, 2]}, [y, real(4)], "the region of interest has the shape [4]; expected [8]")
refuse("resize", {"axes": [4], "sizes": [2]}, [y], "axis 4 of a tensor with 4 dimensions")
refuse("resize", {"axes": [1, 1], "sizes": [2, 2]}, [y], "axis 1 is listed twice")
refuse("resize", {"mode": "linear", "sizes": [2]}, [np.array([True])], "the input has the type bool")



def convolution(op, x, w, b=None, ours=None, **attributes):
    """A case of ONNX's attributes; x is NCHW, w [out][in / groups][h][w] (transposed: [in][out / groups][h][w])."""
    kind = "ConvTranspose" if op == "conv_transpose2d" else "Conv"
    groups = attributes.get("group", 1)
    if op == "conv_transpose2d" and groups > 1:  # which the evaluator cannot do
        rest = {k: v for k, v in attributes.items() if k != "group"}
        y = np.concatenate([onnx_run(kind, [u, v], **rest)[0] for u, v in zip(np.split(x, groups, 1), np.split(w, groups))], 1)
    else:
        y = onnx_run(kind, [x, w] + ([] if b is None else [b]), **attributes)[0]
    if op == "conv_transpose2d":
        v = np.concatenate([np.moveaxis(part, 0, 1) for part in np.split(w, groups)])  # [out][in / groups][h][w]
        v = np.moveaxis(v, 1, -1)
    elif op == "depthwise_conv2d":
        v = np.moveaxis(w[:, 0], 0, -1)
    else:
        v = np.moveaxis(w, 1, -1)
    names = {"group": "groups"}
    mine = {names.get(k, k): v for k, v in attributes.items() if k != "kernel_shape" and not (k == "group" and op == "depthwise_conv2d")}
    mine.update(ours or {})
    if "auto_pad" in mine:
        mine["auto_pad"] = mine["auto_pad"].lower()
    case(op, mine, [nhwc(x), v] + ([] if b is None else [b]), [nhwc(y)], tolerance=1e-5)


y = real(2, 4, 6, 5)
convolution("conv2d", y, real(3, 4, 3, 3), real(3))
convolution("conv2d", y, real(3, 4, 1, 1))
convolution("conv2d", y, real(6, 2, 3, 2), real(6), group=2, strides=[2, 1], pads=[1, 0, 1, 1])
convolution("conv2d", y, real(2, 4, 2, 2), dilations=[2, 3])
convolution("conv2d", y, real(2, 4, 3, 3), auto_pad="SAME_UPPER", strides=[2, 2])
convolution("depthwise_conv2d", y, real(4, 1, 3, 3), real(4), group=4, pads=[1, 1, 1, 1])
convolution("depthwise_conv2d", y, real(8, 1, 3, 2), group=4, strides=[2, 2], ours={"multiplier": 2})
convolution("conv_transpose2d", y, real(4, 3, 3, 3), real(3))
convolution("conv_transpose2d", y, real(4, 3, 3, 2), strides=[2, 3], pads=[1, 0, 1, 1], output_padding=[1, 1])
convolution("conv_transpose2d", y, real(4, 3, 2, 2), group=2, strides=[2, 2], dilations=[2, 1])
for shape in ((5,), (2, 5), (2, 3, 5)):
    x, w, b = real(*shape), real(4, 5), real(4)
    case("dense", {}, [x, w, b], [(x.astype(np.float64) @ w.T + b).astype(np.float32)], tolerance=1e-5)
case("dense", {}, [x, w], [(x.astype(np.float64) @ w.T).astype(np.float32)], tolerance=1e-5)
refuse("conv2d", {}, [nhwc(y), real(3, 3, 3, 5)], "weights")
refuse("depthwise_conv2d", {}, [nhwc(y), real(3, 3, 5)], "4 groups do not divide 4 input and 5 output channels")
refuse("conv_transpose2d", {}, [nhwc(y), real(3, 3, 3, 5)], "weights")
refuse("dense", {}, [x, real(4, 6)], "weights")

# ------------------------------------------------------------------------- recurrent
begin("recurrent")


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm_step(x, h, c, w, r, b, p, act, clip, coupled):
    n = h.shape[-1]
    g = x @ w.T + h @ r.T + b[:4 * n] + b[4 * n:]
    i, o, f, u = (g[:, k * n:(k + 1) * n] for k in range(4))
    lim = (lambda v: np.clip(v, -clip, clip)) if clip else (lambda v: v)
    i = act[0](lim(i + p[:n] * c))
    f = 1 - i if coupled else act[0](lim(f + p[2 * n:] * c))
    c = f * c + i * act[1](lim(u))
    o = act[0](lim(o + p[n:2 * n] * c))
    return o * act[2](c), c


def gru_step(x, h, c, w, r, b, p, act, clip, linear):
    n = h.shape[-1]
    wx, rh, wb, rb = x @ w.T, h @ r.T, b[:3 * n], b[3 * n:]
    lim = (lambda v: np.clip(v, -clip, clip)) if clip else (lambda v: v)
    z = act[0](lim(wx[:, :n] + rh[:, :n] + wb[:n] + rb[:n]))
    q = act[0](lim(wx[:, n:2 * n] + rh[:, n:2 * n] + wb[n:2 * n] + rb[n:2 * n]))
    if linear:
        u = wx[:, 2 * n:] + wb[2 * n:] + q * (rh[:, 2 * n:] + rb[2 * n:])
    else:
        u = wx[:, 2 * n:] + wb[2 * n:] + (q * h) @ r[2 * n:].T + rb[2 * n:]
    return (1 - z) * act[1](lim(u)) + z * h, c


def rnn_step(x, h, c, w, r, b, p, act, clip, _):
    n = h.shape[-1]
    g = x @ w.T + h @ r.T + b[:n] + b[n:]
    return act[0](np.clip(g, -clip, clip) if clip else g), c


STEPS = {"lstm": (lstm_step, 4), "gru": (gru_step, 3), "rnn": (rnn_step, 1)}


def reference(op, x, w, r, b, lengths, h0, c0, p, direction, act, clip=0, variant=False):
    """By the formulas of ONNX's documentation, in double."""
    step, gates = STEPS[op]
    steps, batch, _ = x.shape
    ways, n = w.shape[0], r.shape[2]
    x, w, r = x.astype(np.float64), w.astype(np.float64), r.astype(np.float64)
    b = np.zeros((ways, 2 * gates * n)) if b is None else b.astype(np.float64)
    p = np.zeros((ways, 3 * n)) if p is None else p.astype(np.float64)
    y, yh, yc = np.zeros((steps, ways, batch, n)), np.zeros((ways, batch, n)), np.zeros((ways, batch, n))
    for d in range(ways):
        for k in range(batch):
            h = np.zeros((1, n)) if h0 is None else h0[d, k:k + 1].astype(np.float64)
            c = np.zeros((1, n)) if c0 is None else c0[d, k:k + 1].astype(np.float64)
            length = steps if lengths is None else int(lengths[k])
            order = range(length)
            if direction == "reverse" or d == 1:
                order = reversed(order)
            for t in order:
                h, c = step(x[t, k:k + 1], h, c, w[d], r[d], b[d], p[d], act, clip, variant)
                y[t, d, k] = h[0]
            yh[d, k], yc[d, k] = h[0], c[0]
    return [a.astype(np.float32) for a in (y, yh, yc)]


def recurrent(op, attributes, use="", direction="forward", act=None, steps=3, batch=2, inputs=4, n=3, lengths=None, wanted=None,
              **more):
    gates, ways = STEPS[op][1], 2 if direction == "bidirectional" else 1
    x, w, r = real(steps, batch, inputs, scale=1), real(ways, gates * n, inputs, scale=0.5), real(ways, gates * n, n, scale=0.5)
    b = real(ways, 2 * gates * n, scale=0.5) if "b" in use else None
    h = real(ways, batch, n, scale=0.5) if "h" in use else None
    c = real(ways, batch, n, scale=0.5) if "c" in use else None
    p = real(ways, 3 * n, scale=0.5) if "p" in use else None
    lengths = None if lengths is None else np.array(lengths, np.int32)
    act = act or {"lstm": [sigmoid, np.tanh, np.tanh], "gru": [sigmoid, np.tanh], "rnn": [np.tanh]}[op]
    y = reference(op, x, w, r, b, lengths, h, c, p, direction, act, **more)[:3 if op == "lstm" else 2]
    given = [x, w, r, b, lengths, h, c, p] if op == "lstm" else [x, w, r, b, lengths, h]
    while given[-1] is None:
        given.pop()
    if wanted is not None:
        y = [a if i in wanted else None for i, a in enumerate(y)]
    case(op, {"hidden_size": n, **({"direction": direction} if direction != "forward" else {}), **attributes}, given, y)
    return given


for op in ("lstm", "gru", "rnn"):
    for direction in ("forward", "reverse", "bidirectional"):
        recurrent(op, {}, direction=direction)
        recurrent(op, {}, "bh" + ("cp" if op == "lstm" else ""), direction=direction)
        recurrent(op, {}, "bh" + ("c" if op == "lstm" else ""), direction=direction, lengths=[3, 1], inputs=2)
    recurrent(op, {"clip": 0.3}, "b", clip=0.3)
    recurrent(op, {}, "b", steps=1, batch=1, inputs=1, n=1)
    recurrent(op, {}, "bh", lengths=[0, 2])
    recurrent(op, {}, "b", wanted=[1])
    recurrent(op, {}, "b", batch=0)
recurrent("lstm", {"input_forget": True}, "bhcp", variant=True)
recurrent("gru", {"linear_before_reset": True}, "bh", variant=True, direction="bidirectional")
relu = lambda v: np.maximum(v, 0)
hard = lambda v: np.clip(0.25 * v + 0.4, 0, 1)
recurrent("rnn", {"activation_1": "relu"}, "b", act=[relu])
recurrent("lstm", {"activation_1": "hard_sigmoid", "alpha_1": 0.25, "beta_1": 0.4, "activation_2": "softsign", "activation_3": "relu"},
          "bhc", act=[hard, lambda v: v / (1 + np.abs(v)), relu])
recurrent("gru", {"activation_1": "hard_sigmoid", "activation_2": "affine", "alpha_2": 0.5, "beta_2": 0.25}, "bh",
          act=[lambda v: np.clip(0.2 * v + 0.5, 0, 1), lambda v: 0.5 * v + 0.25])
for name, f in (("elu", lambda v: np.where(v < 0, np.expm1(v), v)), ("leaky_relu", lambda v: np.where(v < 0, 0.01 * v, v)),
                ("scaled_tanh", lambda v: np.tanh(v)), ("sigmoid", sigmoid), ("softplus", lambda v: np.log1p(np.exp(v))),
                ("tanh", np.tanh), ("thresholded_relu", lambda v: np.where(v > 1, v, 0))):
    recurrent("rnn", {"activation_1": name}, "b", act=[f])
# The evaluator agrees, as far as it goes.
given = recurrent("lstm", {}, "bhcp")
for ours, theirs in zip(family[-1]["outputs"][:2], onnx_run("LSTM", [given[0], given[1], given[2], given[3], None] + given[5:], outputs=2, hidden_size=3)):
    assert np.allclose(np.array(ours["values"]).reshape(theirs.shape), theirs, atol=1e-5)
for linear in (0, 1):
    given = recurrent("gru", {"linear_before_reset": bool(linear)}, "bh", variant=bool(linear))
    for ours, theirs in zip(family[-1]["outputs"], onnx_run("GRU", given[:4] + [None, given[5]], outputs=2, hidden_size=3, linear_before_reset=linear)):
        assert np.allclose(np.array(ours["values"]).reshape(theirs.shape), theirs, atol=1e-5)
x, w, r = real(3, 2, 4), real(1, 12, 4), real(1, 12, 3)
refuse("lstm", {"hidden_size": 3}, [x, real(1, 9, 4), r], "w has the shape [1, 9, 4]; expected [1, 12, 4]")
refuse("lstm", {"hidden_size": 3, "direction": "bidirectional"}, [x, w, r], "w has the shape [1, 12, 4]; expected [2, 12, 4]")
refuse("lstm", {"hidden_size": 3}, [x, w, r, real(24)], "b has the shape [24]; expected [1, 24]")
refuse("lstm", {"hidden_size": 3}, [real(3, 4), w, r], "x has the shape [3, 4]; expected 3 dimensions")
refuse("lstm", {}, [x, w, r], "hidden_size is 0; expected 1 at least")
refuse("lstm", {"hidden_size": 3}, [x, w, r, None, ints(4, 1)], "sequence 0 has the length 4; expected 0 to 3")
refuse("lstm", {"hidden_size": 3}, [x, w, r, None, ints(1, -1)], "sequence 1 has the length -1")
refuse("lstm", {"hidden_size": 3}, [x, w.astype(np.float64), r], "w has the type f64; expected f32")
refuse("lstm", {"hidden_size": 3, "activation_1": "cosine"}, [x, w, r], "expected one of default, affine")
refuse("gru", {"hidden_size": 3}, [x, w, r], "w has the shape [1, 12, 4]; expected [1, 9, 4]")
refuse("gru", {"hidden_size": 3, "activation_6": "tanh"}, [x, real(1, 9, 4), real(1, 9, 3)], 'gru has no attribute "activation_6"')
refuse("rnn", {"hidden_size": 1 << 25}, [x, w, r], 'attribute "hidden_size" of rnn is 33554432')

begin("axes")
for a, b in (((3, 4), (5, 4)), ((2, 1, 3, 4), (3, 2, 4)), ((4,), (5, 4)), ((3, 4), (4,))):
    for dtype in (np.float32, np.float16, np.int32) if len(a) > 2 else (np.float32,):
        p, q = real(*a, dtype=dtype), real(*b, dtype=dtype)
        y = np.matmul(p.astype(np.float64), np.swapaxes(q, -1, -2).astype(np.float64) if len(b) > 1 else q)
        case("matmul", {"transpose_b": True}, [p, q], [y.astype(dtype)])
refuse("matmul", {"transpose_b": True}, [real(2, 3), real(3, 2)], "to be the last of the second")

begin("recurrent")
for op, use, direction in (("lstm", "bhcp", "bidirectional"), ("gru", "bh", "bidirectional"), ("gru", "", "reverse"), ("rnn", "b", "forward")):
    given = recurrent(op, {}, use, direction=direction)
    entry = family.pop()
    x, w, r, b = given[:3] + [given[3] if len(given) > 3 else None]
    gates = w.shape[1]
    made = np.concatenate([x.astype(np.float64) @ w[d].T + (0 if b is None else b[d, :gates]) for d in range(w.shape[0])], 2)
    entry["attributes"]["projected"] = True
    entry["inputs"][:2] = [tensor(made.astype(np.float32)), None]
    family.append(entry)
x, r = real(3, 2, 12), real(1, 12, 3)
refuse("lstm", {"hidden_size": 3, "projected": True}, [x, real(1, 12, 12), r], "w is there; expected none")
refuse("lstm", {"hidden_size": 3, "projected": True}, [real(3, 2, 4), None, r], "x has 4 elements a step; expected 12")
refuse("lstm", {"hidden_size": 3}, [x, None, r], "w is missing")
refuse("lstm", {"hidden_size": 3}, [x, real(1, 12, 12)], "r is missing")

begin("windows")
y, g = real(2, 3, 5, 4), (rng.uniform(-1.6, 1.6, size=(2, 3, 2, 2))).astype(np.float32)
for mode in ("linear", "nearest", "cubic"):
    for padding in ("zeros", "border", "reflection"):
        for align in (0, 1):
            case("grid_sample", {"mode": mode, "padding": padding, "align_corners": bool(align)}, [nhwc(y), g],
                 [nhwc(onnx_run("GridSample", [y, g], mode=mode, padding_mode=padding, align_corners=align)[0])], tolerance=2e-5)
y, g = real(1, 2, 3, 4, 2), (rng.uniform(-1.2, 1.2, size=(1, 2, 1, 3, 3))).astype(np.float32)
case("grid_sample", {}, [nhwc(y), g], [nhwc(onnx_run("GridSample", [y, g], mode="linear")[0])], tolerance=2e-5)
case("grid_sample", {}, [nhwc(real(1, 1, 2, 2)), np.full((1, 1, 2, 2), np.nan, np.float32)], [np.zeros((1, 1, 2, 1), np.float32)])
refuse("grid_sample", {}, [real(1, 3, 3, 2), real(1, 2, 2, 3)], "a grid of shape [1, 2, 2, 3] for an input of shape [1, 3, 3, 2]")
refuse("grid_sample", {}, [real(1, 3, 3, 2), real(2, 2, 2, 2)], "expected as many dimensions and images, and 2 numbers a place")
refuse("grid_sample", {}, [real(1, 0, 3, 2), real(1, 2, 2, 2)], "for an input of shape [1, 0, 3, 2]")
refuse("grid_sample", {}, [real(3, 2), real(1, 2, 2, 2)], "the input has the shape [3, 2]; expected 3 to 5 dimensions")
y = real(2, 3, 7, 6)
for order in (0, 1):
    for kw in ({"kernel_shape": [2, 2], "strides": [2, 2]}, {"kernel_shape": [3, 2], "strides": [2, 1], "pads": [1, 1, 1, 0]}):
        made = onnx_run("MaxPool", [y], outputs=2, storage_order=order, **kw)
        attributes = {"kernel": kw["kernel_shape"], "strides": kw["strides"], "pads": kw.get("pads", [0] * 4), "column_major": bool(order)}
        case("max_pool", attributes, [nhwc(y)], [nhwc(made[0]), nhwc(made[1])])
y = real(2, 2, 9)
made = onnx_run("MaxPool", [y], outputs=2, kernel_shape=[3], strides=[2])
case("max_pool", {"kernel": [3], "strides": [2]}, [nhwc(y)], [nhwc(made[0]), nhwc(made[1])])
case("max_pool", {"kernel": [2]}, [np.array([1, np.nan, 3, 2], np.float32).reshape(1, 4, 1)],
     [np.array([np.nan, np.nan, 3], np.float32).reshape(1, 3, 1), ints(1, 1, 2).reshape(1, 3, 1)])
case("max_pool", {"kernel": [2]}, [np.full((1, 3, 1), -np.inf, np.float32)],
     [np.full((1, 2, 1), -np.inf, np.float32), ints(0, 1).reshape(1, 2, 1)])
begin("axes")
v = np.array([[5, 1, 5, 3], [2, 8, 8, 9], [0, -1, 4, 4]], np.float32)
case("top_k_found", {"axis": 0}, [v, ints(2)], onnx_run("TopK", [v, ints(2)], outputs=2, axis=0))
case("top_k_found", {"largest": False}, [v, ints(0)], [np.zeros((3, 0), np.float32), np.zeros((3, 0), np.int64)])
refuse("top_k_found", {}, [v, ints(5)], "k is 5; expected 0 to the 4 along axis 1")

begin("windows")
y = real(2, 3, 7, 9)
boxes = np.array([[1, 2, 7, 6], [-3, -4, 5, 5.5], [8, 6, 30, 40], [50, 50, 60, 60], [2.5, 1.25, 8.75, 6]], np.float32)
images = ints(0, 1, 1, 0, 1)
for mode in ("avg", "max"):
    for pixel in ("half_pixel", "output_half_pixel"):
        for ratio, scale in ((2, 1.0), (0, 0.5)):
            case("roi_align", {"mode": "average" if mode == "avg" else mode, "height": 3, "width": 2, "sampling_ratio": ratio, "scale": scale,
                               "half_pixel": pixel == "half_pixel"}, [nhwc(y), boxes, images],
                 [nhwc(onnx_run("RoiAlign", [y, boxes, images], mode=mode, output_height=3, output_width=2, sampling_ratio=ratio,
                                spatial_scale=scale, coordinate_transformation_mode=pixel)[0])], tolerance=2e-5)
wild = np.array([[np.nan, 0, 3, 3], [0, 0, np.inf, 3], [-3e38, -3e38, 3e38, 3e38]], np.float32)
case("roi_align", {}, [nhwc(y), wild, ints(0, 1, 0)], [np.zeros((3, 1, 1, 3), np.float32)])
case("roi_align", {"mode": "max"}, [nhwc(y), boxes[:0], ints()], [np.zeros((0, 1, 1, 3), np.float32)])
case("roi_align", {"height": 2}, [np.zeros((1, 0, 0, 2), np.float32), boxes[:1], ints(0)], [np.zeros((1, 2, 1, 2), np.float32)])
refuse("roi_align", {}, [nhwc(y), boxes, ints(0, 1)], "boxes of shape [5, 4] with images of shape [2]")
refuse("roi_align", {}, [nhwc(y), boxes, ints(0, 1, 2, 0, 0)], "box 2 is of image 2; expected 0 to 1")
refuse("roi_align", {}, [nhwc(y)[0], boxes, images], "the input has the shape [7, 9, 3]; expected 4 dimensions")
refuse("roi_align", {"height": 0}, [nhwc(y), boxes, images], "height")
# END

folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
for name, entries in families.items():
    with open(os.path.join(folder, name + ".json"), "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(e, separators=(",", ":")) for e in entries) + "\n]\n")
    print(name, len(entries))
