# SPDX-License-Identifier: MIT
#
# Makes small.onnx, and small.npz: an input, and the output by ONNX's own evaluator.
# Needs the Python packages onnx and numpy; the files are kept, so that tests do not.
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

rng = np.random.default_rng(0)


def weights(name, *shape):
    scale = 1 / np.sqrt(np.prod(shape[1:]) or 1)
    return numpy_helper.from_array((scale * rng.standard_normal(shape)).astype(np.float32), name)


constants = [
    weights("w1", 8, 3, 3, 3), weights("b1", 8), weights("w2", 8, 8, 3, 3), weights("b2", 8),
    weights("w3", 8, 1, 3, 3), weights("w4", 10, 8), weights("b4", 10),
]
nodes = [
    helper.make_node("Conv", ["x", "w1", "b1"], ["c1"], "conv1", pads=[1, 1, 1, 1], strides=[2, 2]),
    helper.make_node("Relu", ["c1"], ["r1"], "relu1"),
    helper.make_node("Conv", ["r1", "w2", "b2"], ["c2"], "conv2", pads=[1, 1, 1, 1]),
    helper.make_node("Add", ["c2", "r1"], ["a2"], "add2"),
    helper.make_node("Relu", ["a2"], ["r2"], "relu2"),
    helper.make_node("Conv", ["r2", "w3"], ["c3"], "conv3", pads=[1, 1, 1, 1], group=8),
    helper.make_node("Sigmoid", ["c3"], ["s3"], "sigmoid3"),
    helper.make_node("GlobalAveragePool", ["s3"], ["g"], "pool"),
    helper.make_node("Flatten", ["g"], ["f"], "flatten"),
    helper.make_node("Gemm", ["f", "w4", "b4"], ["d"], "dense", transB=1),
    helper.make_node("Softmax", ["d"], ["y"], "softmax", axis=1),
]
graph = helper.make_graph(
    nodes, "small",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, 12, 12])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 10])], constants)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
onnx.checker.check_model(model)
onnx.save(model, "small.onnx")
x = rng.standard_normal((2, 3, 12, 12)).astype(np.float32)
(y,) = ReferenceEvaluator(model).run(None, {"x": x})
np.savez("small.npz", x=x, y=y)
np.savez("wrong.npz", y=y + np.float32(0.01))
np.save("x.npy", x)

# sized.onnx: what it makes has the shape that an input says, and one output as many elements
# as are not 0.
nodes = [
    helper.make_node("Reshape", ["x", "shape"], ["r"], "reshape"),
    helper.make_node("Relu", ["r"], ["y"], "relu"),
    helper.make_node("NonZero", ["y"], ["where"], "where"),
    helper.make_node("Cast", ["where"], ["real"], "cast", to=TensorProto.FLOAT),
    helper.make_node("Sqrt", ["real"], ["root"], "root"),
]
graph = helper.make_graph(
    nodes, "sized",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 6]),
     helper.make_tensor_value_info("shape", TensorProto.INT64, [2]),
     helper.make_tensor_value_info("z", TensorProto.FLOAT, [2])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["a", "b"]),
     helper.make_tensor_value_info("where", TensorProto.INT64, [2, "n"]),
     helper.make_tensor_value_info("root", TensorProto.FLOAT, [2, "n"]),
     helper.make_tensor_value_info("w", TensorProto.FLOAT, [2])], [])
graph.node.append(helper.make_node("Neg", ["z"], ["w"], "neg"))
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
onnx.checker.check_model(model)
onnx.save(model, "sized.onnx")
x = np.arange(-6, 6, dtype=np.float32).reshape(2, 6)
given = {"x": x, "shape": np.array([3, -1], np.int64), "z": np.array([1, np.nan], np.float32)}
made = ReferenceEvaluator(model).run(None, given)
np.savez("sized.npz", **{f"in_{i}": v for i, v in enumerate(given.values())},
         **{f"out_{i}": v for i, v in enumerate(made)})

# counted.onnx: a shape that depends on data, which is counted and computed with.
nodes = [
    helper.make_node("NonZero", ["x"], ["where"], "where"),
    helper.make_node("Shape", ["where"], ["shape"], "shape"),
    helper.make_node("Gather", ["shape", "one"], ["count"], "count"),
    helper.make_node("Cast", ["count"], ["real"], "real", to=TensorProto.FLOAT),
    helper.make_node("Div", ["x", "real"], ["mean"], "mean"),
]
graph = helper.make_graph(
    nodes, "counted",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 6])],
    [helper.make_tensor_value_info("count", TensorProto.INT64, []),
     helper.make_tensor_value_info("mean", TensorProto.FLOAT, [2, 6])],
    [helper.make_tensor("one", TensorProto.INT64, [], [1])])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
onnx.checker.check_model(model)
onnx.save(model, "counted.onnx")
x = np.maximum(np.arange(-6, 6, dtype=np.float32), 0).reshape(2, 6)
count, mean = ReferenceEvaluator(model).run(None, {"x": x})
np.savez("counted.npz", x=x, count=count, mean=mean)

# reshaped.onnx: a size within the network depends on data, which is refused.
graph.node.append(helper.make_node("ConstantOfShape", ["shape"], ["zeros"], "zeros"))
graph.output.append(helper.make_tensor_value_info("zeros", TensorProto.FLOAT, [2, "n"]))
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8),
          "reshaped.onnx")

# broadcast.onnx: products whose batches broadcast, one side or the other, or both in parts.
nodes = [
    helper.make_node("MatMul", ["a", "x"], ["left"], "left"),
    helper.make_node("MatMul", ["x", "b"], ["parts"], "parts"),
    helper.make_node("Transpose", ["x"], ["t"], "t", perm=[0, 1, 3, 2]),
    helper.make_node("MatMul", ["a", "t"], ["turned"], "turned"),
]
shapes = {"a": [20, 17], "x": [2, 3, 17, 17], "b": [3, 17, 18]}
graph = helper.make_graph(
    nodes, "broadcast",
    [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in shapes.items()],
    [helper.make_tensor_value_info(n, TensorProto.FLOAT, [2, 3, m, k])
     for n, m, k in (("left", 20, 17), ("parts", 17, 18), ("turned", 20, 17))], [])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
onnx.checker.check_model(model)
onnx.save(model, "broadcast.onnx")
given = {n: rng.standard_normal(s).astype(np.float32) for n, s in shapes.items()}
made = ReferenceEvaluator(model).run(None, given)
np.savez("broadcast.npz", **given, **dict(zip(("left", "parts", "turned"), made)))

# known.onnx: the layer that is tuned has the size that an input says.
graph = helper.make_graph(
    [helper.make_node("Reshape", ["x", "sizes"], ["r"], "reshape"),
     helper.make_node("MatMul", ["r", "w"], ["y"], "product")], "known",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 6]),
     helper.make_tensor_value_info("sizes", TensorProto.INT64, [2])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["a", 8])], [weights("w", 3, 8)])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
onnx.checker.check_model(model)
onnx.save(model, "known.onnx")
given = {"x": rng.standard_normal((2, 6)).astype(np.float32), "sizes": np.array([4, 3], np.int64)}
(y,) = ReferenceEvaluator(model).run(None, given)
np.savez("known.npz", **given, y=y)
