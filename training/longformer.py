"""Makes Longformer exportable: its overlapping windows are views over memory, which ONNX does not have."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from unittest.mock import patch

import torch
from transformers import PreTrainedModel
from transformers.models.longformer.modeling_longformer import LongformerSelfAttention


def windows(values: torch.Tensor, size: int, step: int) -> torch.Tensor:
    count = torch.div(values.size(1) - size, step, rounding_mode="trunc") + 1
    return values[:, torch.arange(count).unsqueeze(1) * step + torch.arange(size)]


def strided_windows(values: torch.Tensor, size: Sequence[int], stride: Sequence[int]) -> torch.Tensor:
    """What `as_strided` is called for: windows of three times their step."""
    return windows(values, size[2], size[2] // 3)


def chunk(values: torch.Tensor, overlap: int, onnx_export: bool = False) -> torch.Tensor:
    return windows(values, 2 * overlap, overlap)


@contextmanager
def exportable(model: PreTrainedModel) -> Iterator[None]:
    if model.config.model_type != "longformer":
        yield
        return
    with (
        patch.object(LongformerSelfAttention, "_chunk", staticmethod(chunk)),
        patch.object(torch.Tensor, "as_strided", strided_windows),
    ):
        yield
