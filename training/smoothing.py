"""Moves the wide channels of activations into the weights before quantisation.

A few channels of a layer normalisation, and of GELU, reach far beyond the others. One scale for all channels has to cover them, and
leaves the others few of the 256 steps. Each channel is divided by a factor here and the weights' row multiplied by it, which changes
no result in fp32 (Xiao et al. 2022, "SmoothQuant", equation 4).
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnx import helper, numpy_helper

Batch = dict[str, np.ndarray]

STRENGTH = {"LayerNormalization": 0.7, "Mul": 0.9}
"""By what computes the activation: how much of its range moves, 0 to 1. GELU ends with a Mul. What attention gives is even enough."""

SMALLEST_RANGE = 1e-5


def smooth(source: Path, target: Path, products: Sequence[str], batches: Iterable[Batch]) -> None:
    """Writes the model with smoothed inputs of the `products` (names of MatMul and Gemm nodes whose second input is stored).

    `batches` show how far each channel reaches.
    """
    model = onnx.load(source)
    graph = model.graph
    made_by = {output: node.op_type for node in graph.node for output in node.output}
    groups: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        if node.name in set(products) and made_by.get(node.input[0]) in STRENGTH:
            groups.setdefault(node.input[0], []).append(node)
    weights = {tensor.name: tensor for tensor in graph.initializer}
    for activation, reach in reaches(source, list(groups), batches).items():
        nodes = groups[activation]
        rows = [numpy_helper.to_array(weights[node.input[1]]) for node in nodes]
        factors = factors_of(reach, rows, STRENGTH[made_by[activation]])
        for node, table in zip(nodes, rows, strict=True):
            weights[node.input[1]].CopyFrom(numpy_helper.from_array(table * factors[:, None], node.input[1]))
        divide(graph, activation, nodes, factors)
    onnx.checker.check_model(model)
    onnx.save(model, target)


def factors_of(reach: np.ndarray, weights: Sequence[np.ndarray], strength: float) -> np.ndarray:
    """What each channel is divided by. Their geometric mean is 1, so the activation keeps its scale."""
    widest = np.max([np.abs(table).max(1) for table in weights], axis=0)
    logs = strength * np.log(np.maximum(reach, SMALLEST_RANGE))
    logs -= (1 - strength) * np.log(np.maximum(widest, SMALLEST_RANGE))
    return np.exp(logs - logs.mean()).astype(np.float32)


def divide(
    graph: onnx.GraphProto, activation: str, nodes: Sequence[onnx.NodeProto], factors: np.ndarray
) -> None:
    """Puts one Mul between the activation and the products that read it."""
    name = f"{activation}_smooth"
    graph.initializer.append(numpy_helper.from_array(1 / factors, f"{name}_factors"))
    first = min(list(graph.node).index(node) for node in nodes)
    graph.node.insert(first, helper.make_node("Mul", [activation, f"{name}_factors"], [name], name=name))
    for node in nodes:
        node.input[0] = name


def reaches(source: Path, activations: Sequence[str], batches: Iterable[Batch]) -> dict[str, np.ndarray]:
    """The largest magnitude of every channel of each activation over the batches."""
    model = onnx.load(source)
    model.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in activations)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    largest: dict[str, np.ndarray] = {}
    for batch in batches:
        for name, values in zip(activations, session.run(list(activations), batch), strict=True):
            seen = np.abs(values).reshape(-1, values.shape[-1]).max(0)
            largest[name] = np.maximum(largest.get(name, seen), seen)
    return largest
