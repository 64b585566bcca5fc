"""Quantises an ONNX classifier to int8 with ONNX Runtime's own quantiser."""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_dynamic,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from smoothing import Batch, smooth

MIN_TABLE_ROWS = 100
WEIGHTED_OPS = ("MatMul", "Gemm", "Gather")


class Calibration(CalibrationDataReader):
    """Hands the quantiser one batch after another."""

    def __init__(self, batches: Iterable[Batch]) -> None:
        self.batches: Iterator[Batch] = iter(batches)

    def get_next(self) -> Batch | None:
        return next(self.batches, None)


def quantize_weights(
    source: Path,
    target: Path,
    operators: Sequence[str] = WEIGHTED_OPS,
    keep: Callable[[Path], list[str]] = lambda _: [],
) -> None:
    """Dynamic quantisation: int8 weights per channel; activations are scaled per tensor at run time.

    `keep` names the nodes of the prepared graph that stay fp32.
    """
    with tempfile.TemporaryDirectory() as scratch:
        prepared = prepare(source, Path(scratch))
        quantize_dynamic(
            str(prepared),
            str(target),
            op_types_to_quantize=list(operators),
            nodes_to_exclude=keep(prepared),
            per_channel=True,
            weight_type=QuantType.QInt8,
        )


def quantize_calibrated(source: Path, target: Path, batches: Sequence[Batch], smoothed: bool = False) -> None:
    """Static quantisation: activations have scales fixed from `batches`, so a row never feels its neighbours.

    `smoothed`: wide channels move into the weights first (`smoothing.py`).

    Only the products with weights inside the encoder, and the tables of words and positions, become int8. What a product gives stays
    fp32, as do attention, softmax, GELU, layer normalisation, and everything behind the last of these: a head in int8
    would give logits on a coarse grid. Weights take 7 bits (`reduce_range`): two products of 8 by 8 bits can overflow
    the 16 bits that x86 processors without VNNI add them in.
    """
    with tempfile.TemporaryDirectory() as scratch:
        prepared = prepare(source, Path(scratch))
        products = encoder_products(prepared)
        if smoothed:
            smooth(prepared, prepared, products, batches)
        quantize_static(
            str(prepared),
            str(target),
            Calibration(batches),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["MatMul", "Gemm"],
            nodes_to_quantize=products,
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
            extra_options={"OpTypesToExcludeOutputQuantization": ["MatMul", "Gemm"]},
        )
    graph = onnx.load(target)
    quantize_tables(graph.graph)
    onnx.checker.check_model(graph)
    onnx.save(graph, target)


def quantize_tables(graph: onnx.GraphProto) -> None:
    """Stores the large embedding tables in int8 with a scale for every row, and multiplies behind the look-up."""
    tables = {t.name: t for t in graph.initializer if len(t.dims) == 2 and t.dims[0] >= MIN_TABLE_ROWS}
    for lookup in [node for node in graph.node if node.op_type == "Gather" and node.input[0] in tables]:
        quantize_table(graph, lookup, tables[lookup.input[0]])


def quantize_table(graph: onnx.GraphProto, lookup: onnx.NodeProto, table: onnx.TensorProto) -> None:
    name, ids, output = *lookup.input, lookup.output[0]
    rows = numpy_helper.to_array(table)
    scales = np.maximum(np.abs(rows).max(1, keepdims=True) / 127, 1e-12).astype(np.float32)
    graph.initializer.remove(table)
    graph.initializer.extend(
        [
            numpy_helper.from_array(np.round(rows / scales).astype(np.int8), f"{name}_quantized"),
            numpy_helper.from_array(scales, f"{name}_scales"),
        ]
    )
    position = list(graph.node).index(lookup)
    graph.node.remove(lookup)
    parts = [
        helper.make_node("Gather", [f"{name}_quantized", ids], [f"{output}_quantized"]),
        helper.make_node("Cast", [f"{output}_quantized"], [f"{output}_whole"], to=onnx.TensorProto.FLOAT),
        helper.make_node("Gather", [f"{name}_scales", ids], [f"{output}_scale"]),
        helper.make_node("Mul", [f"{output}_whole", f"{output}_scale"], [output]),
    ]
    for offset, node in enumerate(parts):
        node.name = node.output[0]
        graph.node.insert(position + offset, node)


def encoder_products(path: Path) -> list[str]:
    """The products with stored weights before the last layer normalisation."""
    graph = onnx.load(path).graph
    weights = {tensor.name for tensor in graph.initializer if tensor.data_type == onnx.TensorProto.FLOAT}
    last = max(number for number, node in enumerate(graph.node) if node.op_type == "LayerNormalization")
    return [
        node.name
        for node in list(graph.node)[:last]
        if node.op_type in ("MatMul", "Gemm") and weights & set(node.input[:2])
    ]


def prepare(source: Path, scratch: Path) -> Path:
    prepared = scratch / "prepared.onnx"
    quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
    return prepared
