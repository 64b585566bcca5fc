"""Quantises an ONNX classifier to int8 with ONNX Runtime's own quantiser."""

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_dynamic,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

WEIGHTED_OPS = ("MatMul", "Gemm", "Gather")

Batch = dict[str, np.ndarray]


class Calibration(CalibrationDataReader):
    """Hands the quantiser one batch after another."""

    def __init__(self, batches: Iterable[Batch]) -> None:
        self.batches: Iterator[Batch] = iter(batches)

    def get_next(self) -> Batch | None:
        return next(self.batches, None)


def quantize_weights(source: Path, target: Path) -> None:
    """Dynamic quantisation: int8 weights per channel; activations are scaled per tensor at run time."""
    with tempfile.TemporaryDirectory() as scratch:
        quantize_dynamic(
            str(prepare(source, Path(scratch))),
            str(target),
            op_types_to_quantize=list(WEIGHTED_OPS),
            per_channel=True,
            weight_type=QuantType.QInt8,
        )


def quantize_calibrated(source: Path, target: Path, batches: Iterable[Batch]) -> None:
    """Static quantisation: activations have scales fixed from `batches`, so a row never feels its neighbours.

    Only products with weights and the embedding tables become int8. Attention, softmax, GELU and layer
    normalisation stay fp32.
    """
    with tempfile.TemporaryDirectory() as scratch:
        prepared = prepare(source, Path(scratch))
        quantize_static(
            str(prepared),
            str(target),
            Calibration(batches),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(WEIGHTED_OPS),
            nodes_to_quantize=weighted_nodes(prepared),
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
        )


def prepare(source: Path, scratch: Path) -> Path:
    prepared = scratch / "prepared.onnx"
    quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
    return prepared


def weighted_nodes(path: Path) -> list[str]:
    """The products, and the look-ups, one side of which is a stored float tensor."""
    graph = onnx.load(path).graph
    weights = {tensor.name for tensor in graph.initializer if tensor.data_type == onnx.TensorProto.FLOAT}
    return [node.name for node in graph.node if node.op_type in WEIGHTED_OPS and weights & set(node.input[:2])]
