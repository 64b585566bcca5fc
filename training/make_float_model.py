"""Writes test/fixtures/floats.onnx: two logits of four floating-point numbers, for the test of inputs other than text."""

import argparse
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

WEIGHTS = np.array([[1, -1], [0.5, 2], [-2, 0], [0, 1]], np.float32)
BIAS = np.array([0.25, -0.5], np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("test/fixtures/floats.onnx"))
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["values", "weights"], ["product"]),
            helper.make_node("Add", ["product", "bias"], ["logits"]),
        ],
        "floats",
        [helper.make_tensor_value_info("values", TensorProto.FLOAT, ["batch", 4])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 2])],
        [numpy_helper.from_array(WEIGHTS, "weights"), numpy_helper.from_array(BIAS, "bias")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, parser.parse_args().out)


if __name__ == "__main__":
    main()
