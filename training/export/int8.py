"""Quantises an exported graph to int8, but for the classification head."""

from pathlib import Path

import onnx
from onnx import GraphProto, NodeProto

from graphs import name_nodes, producers, upstream
from quantize import WEIGHTED_OPS, quantize_weights

PRODUCTS = {"MatMul", "Gemm"}
# What takes one vector out of a text's many, or their mean.
POOLS = {"Gather", "GatherND", "GatherElements", "Slice", "ReduceMean", "ReduceSum", "ReduceMax", "ArgMax"}
# Pooler, dense layer, output.
MOST_HEAD_PRODUCTS = 3


def write_int8(source: Path, target: Path, embeddings: bool) -> None:
    """@param embeddings whether the tables of embeddings become int8 too"""
    operators = [name for name in WEIGHTED_OPS if embeddings or name != "Gather"]
    quantize_weights(source, target, operators, keep=head_nodes)


def head_nodes(path: Path) -> list[str]:
    """The head's products by the names that the quantiser knows them by: it makes a MatMul and an Add of a Gemm first."""
    return [name for product in head_products(path) for name in (product, f"{product}_MatMul")]


def head_products(path: Path) -> list[str]:
    """The products behind the pooling, from the logits back. Where the pooling comes last, the last product alone."""
    model = onnx.load(path)
    graph = model.graph
    made_by = producers(graph)
    weights = {tensor.name for tensor in graph.initializer}

    def is_product(node: NodeProto) -> bool:
        return node.op_type in PRODUCTS and bool(weights & set(node.input))

    last = made_by[graph.output[0].name]
    reached = list(upstream(last, made_by, lambda node: not is_product(node) and node.op_type not in POOLS))
    found = [node for node in reached if is_product(node)]
    if found:
        behind = list(upstream(last, made_by, lambda node: node.op_type not in POOLS))
        products = [node for node in behind if is_product(node)]
        return [node.name for node in (products if len(products) <= MOST_HEAD_PRODUCTS else found)]
    passed = upstream(last, made_by, lambda node: not is_product(node))
    return [node.name for node in passed if is_product(node)][:1]
