"""Exports a PyTorch classifier to one ONNX file with dynamic batch and sequence axes."""

import logging
import warnings
from pathlib import Path

import onnx
import torch
from transformers import PreTrainedModel

from layout import input_names

OPSET = 18


class LogitsOnly(torch.nn.Module):
    """Takes the inputs by position, in the order of `input_names`, and returns the logits tensor."""

    def __init__(self, model: PreTrainedModel) -> None:
        super().__init__()
        self.model = model
        self.names = input_names(model.config)

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        return self.model(**dict(zip(self.names, inputs, strict=True))).logits


def export_onnx(model: PreTrainedModel, path: Path, input_dtype: torch.dtype = torch.int64) -> None:
    """Writes the model in fp32; the inputs take `input_dtype` (int64 or int32)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    model.set_attn_implementation("eager")
    names = input_names(model.config)
    example = torch.ones((2, 8), dtype=input_dtype)
    axes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("sequence")}
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            LogitsOnly(model).eval(),
            tuple(example.clone() for _ in names),
            str(path),
            input_names=names,
            output_names=["logits"],
            opset_version=OPSET,
            dynamo=True,
            external_data=False,
            verbose=False,
            dynamic_shapes=(tuple(axes for _ in names),),
        )
    graph = onnx.load(path)
    graph.metadata_props.clear()
    for node in graph.graph.node:
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
    del graph.graph.value_info[:]
    onnx.checker.check_model(graph, full_check=True)
    onnx.save(graph, path)
