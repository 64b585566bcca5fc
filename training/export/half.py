"""Rewrites an fp32 graph to fp16 weights and computation, with fp32 logits.

ONNX Runtime's own converter does it, which the pinned onnxruntime brings along (onnxconverter-common is its older
ancestor). It converts whatever it is not told to leave alone, so this module finds what fp16 cannot hold.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnx import ModelProto, NodeProto, TensorProto, helper
from onnxruntime.transformers.float16 import DEFAULT_OP_BLOCK_LIST, convert_float_to_float16

from graphs import name_nodes, producers, sort_nodes, upstream
from quantize import Batch

# The largest fp16 number is 65,504. Other texts may reach further than those that were tried.
LARGEST = 65504 / 8

# Sums of many terms. LayerNormalization itself sums in fp32.
SUMS = ["ReduceMean", "ReduceSum", "ReduceL2", "ReduceSumSquare", "Softmax", "LogSoftmax", "CumSum"]

# Positions and angles: beyond 2,048 not every whole number is an fp16. And norms that are spelt out, from the square on.
EXACT = {"Cos", "Sin", "Ceil", "Floor", "Round", "Log", "Sqrt", "Reciprocal"}
SQUARES = {"Pow"}
# What depends on the weights: positions and norms do not reach beyond.
WEIGHTED = {"MatMul", "Gemm", "Gather", "LayerNormalization"}
INTEGERS = {TensorProto.INT64, TensorProto.INT32}


def write_half(source: Path, target: Path, batches: Iterable[Batch]) -> None:
    """Keeps in fp32 what needs it in general, and what leaves the range of fp16 on `batches`."""
    model = onnx.shape_inference.infer_shapes(onnx.load(source))
    name_nodes(model.graph)
    kept = exact_nodes(model) | far_nodes(model, batches)
    half = convert_float_to_float16(
        model,
        keep_io_types=True,
        disable_shape_infer=True,
        op_block_list=[*DEFAULT_OP_BLOCK_LIST, *SUMS],
        node_block_list=sorted(kept),
    )
    name_nodes(half.graph)
    join_casts(half)
    sort_nodes(half.graph)
    del half.graph.value_info[:]
    onnx.checker.check_model(half, full_check=True)
    onnx.save(half, target)


def exact_nodes(model: ModelProto) -> set[str]:
    made_by = producers(model.graph)
    kept: set[str] = set()
    for node in model.graph.node:
        if node.op_type in EXACT or makes_integers(node):
            kept.update(found.name for found in upstream(node, made_by, goes_on))
    return {node.name for node in model.graph.node if node.name in kept and node.op_type not in WEIGHTED}


def goes_on(node: NodeProto) -> bool:
    return node.op_type not in WEIGHTED | SQUARES


def makes_integers(node: NodeProto) -> bool:
    return node.op_type == "Cast" and any(a.name == "to" and a.i in INTEGERS for a in node.attribute)


def far_nodes(model: ModelProto, batches: Iterable[Batch]) -> set[str]:
    """The nodes that read or write a number beyond fp16: masks above all, and in some models the residual stream."""
    far = far_values(model, batches)
    return {node.name for node in model.graph.node if far & {*node.input, *node.output}}


def far_values(model: ModelProto, batches: Iterable[Batch]) -> set[str]:
    probe = ModelProto()
    probe.CopyFrom(model)
    floats = [info.name for info in probe.graph.value_info if info.type.tensor_type.elem_type == TensorProto.FLOAT]
    made = set(producers(probe.graph))
    watched = [name for name in floats if name in made]
    for index, name in enumerate(watched):
        probe.graph.node.append(helper.make_node("Abs", [name], [f"far_abs_{index}"], name=f"far_abs_{index}"))
        probe.graph.node.append(
            helper.make_node("ReduceMax", [f"far_abs_{index}"], [f"far_max_{index}"], name=f"far_max_{index}", keepdims=0)
        )
        probe.graph.output.append(helper.make_tensor_value_info(f"far_max_{index}", TensorProto.FLOAT, []))
    session = ort.InferenceSession(probe.SerializeToString(), providers=["CPUExecutionProvider"])
    largest = np.zeros(len(watched), np.float32)
    for batch in batches:
        _, *found = session.run(None, batch)
        largest = np.maximum(largest, np.array(found))
    return {name for name, value in zip(watched, largest, strict=True) if not value <= LARGEST}


def join_casts(model: ModelProto) -> None:
    """Hands a number from one fp32 node to the next directly: on the way through fp16 it would lose what it was kept for."""
    made_by = producers(model.graph)
    full: dict[str, str] = {}
    for node in model.graph.node:
        if casts_to(node, TensorProto.FLOAT):
            before = made_by.get(node.input[0])
            if before is not None and before.name.endswith("_cast_to_fp16_node"):
                full[node.output[0]] = before.input[0]
    for node in model.graph.node:
        for index, name in enumerate(node.input):
            if name in full:
                node.input[index] = full[name]
    outputs = {output.name for output in model.graph.output}
    while True:
        used = outputs.union(*(node.input for node in model.graph.node))
        idle = [node for node in model.graph.node if node.op_type == "Cast" and not used & set(node.output)]
        if not idle:
            return
        for node in idle:
            model.graph.node.remove(node)


def casts_to(node: NodeProto, kind: int) -> bool:
    return node.op_type == "Cast" and any(a.name == "to" and a.i == kind for a in node.attribute)
