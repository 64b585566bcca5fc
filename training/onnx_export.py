"""Exports a PyTorch classifier to one ONNX file with dynamic batch and sequence axes."""

import logging
import warnings
from collections.abc import Sequence
from pathlib import Path

import onnx
import torch
from transformers import PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput

from layout import input_names
from longformer import exportable

OPSET = 18
# Not a multiple of any window: a traced Longformer pads only if it did so here.
LENGTH = 7


class Exported(torch.nn.Module):
    """Takes the inputs by position, in the order of `names`, and returns the wanted outputs."""

    def __init__(self, model: PreTrainedModel, names: Sequence[str], outputs: Sequence[str]) -> None:
        super().__init__()
        self.model = model
        self.names = names
        self.outputs = outputs

    def forward(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        given = dict(zip(self.names, inputs, strict=True))
        hidden = "hidden_states" in self.outputs
        answer = self.model(**given, **({"output_hidden_states": True} if hidden else {}))
        return tuple(self.output(answer, name) for name in self.outputs)

    def output(self, answer: SequenceClassifierOutput, name: str) -> torch.Tensor:
        if name == "probabilities":
            return answer.logits.softmax(-1)
        return answer.hidden_states[-1] if name == "hidden_states" else answer.logits


def export_onnx(
    model: PreTrainedModel,
    path: Path,
    input_dtype: torch.dtype = torch.int64,
    names: Sequence[str] | None = None,
    outputs: Sequence[str] = ("logits",),
    opset: int = OPSET,
    dynamo: bool = True,
) -> None:
    """Writes the model in fp32; the inputs take `input_dtype` (int64 or int32).

    `names` are the inputs, where they are known better than `input_names` knows them. `outputs` are of `logits`,
    `hidden_states` (the last ones) and `probabilities`. Without `dynamo`, PyTorch traces the model instead of reading its
    code.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    model.set_attn_implementation("eager")
    model.config.use_cache = False
    names = names or input_names(model.config)
    # Without a padding id Transformers refuses more than one row.
    rows = 1 if model.config.pad_token_id is None else 2
    example = torch.arange(5, 5 + LENGTH * rows, dtype=input_dtype).reshape(rows, LENGTH)
    ones = torch.ones_like(example)
    positions = torch.arange(LENGTH, dtype=input_dtype).expand(rows, LENGTH)
    examples = {
        "input_ids": example,
        "attention_mask": ones,
        "token_type_ids": 0 * ones,
        "position_ids": positions,
        "global_attention_mask": (positions == 0).to(input_dtype),
    }
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), exportable(model):
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Exported(model, names, outputs).eval(),
            tuple(examples[name].clone() for name in names),
            str(path),
            input_names=names,
            output_names=list(outputs),
            opset_version=opset,
            verbose=False,
            **(dynamo_axes(names) if dynamo else traced_axes(names, outputs)),
        )
    strip(path, renames=not dynamo)


def dynamo_axes(names: Sequence[str]) -> dict:
    axes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("sequence")}
    return {"dynamo": True, "external_data": False, "dynamic_shapes": (tuple(axes for _ in names),)}


def traced_axes(names: Sequence[str], outputs: Sequence[str]) -> dict:
    both = {0: "batch", 1: "sequence"}
    rows = {name: both if name == "hidden_states" else {0: "batch"} for name in outputs}
    return {"dynamo": False, "dynamic_axes": {**dict.fromkeys(names, both), **rows}}


def strip(path: Path, renames: bool) -> None:
    """Takes out what names places on this machine; and, with `renames`, the long names that tracing gives every value."""
    graph = onnx.load(path)
    computed = {name for node in graph.graph.node for name in node.output} - {value.name for value in graph.graph.output}
    short = {name: f"v{index}" for index, name in enumerate(sorted(computed))} if renames else {}
    graph.metadata_props.clear()
    for node in graph.graph.node:
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
        if renames:
            node.ClearField("name")
        node.input[:] = [short.get(name, name) for name in node.input]
        node.output[:] = [short.get(name, name) for name in node.output]
    del graph.graph.value_info[:]
    onnx.checker.check_model(graph, full_check=True)
    onnx.save(graph, path)
