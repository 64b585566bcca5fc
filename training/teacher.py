"""The small classifier that teaches the transformer that is served."""

import torch
from torch import nn


class ConvText(nn.Module):
    """Kim's convolutional network: filters of several widths, largest value over time."""

    def __init__(self, vocab_size: int, num_labels: int, dim: int = 192, filters: int = 128) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, dim, padding_idx=0)
        nn.init.normal_(self.embedding.weight, std=0.3)
        self.convs = nn.ModuleList(nn.Conv1d(dim, filters, width, padding=width - 1) for width in (1, 2, 3, 5))
        self.dropout = nn.Dropout(0.5)
        self.out = nn.Linear(filters * len(self.convs), num_labels)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        vectors = self.dropout(self.embedding(ids)) * mask[..., None]
        columns = vectors.transpose(1, 2)
        pooled = [conv(columns).relu().amax(2) for conv in self.convs]
        return self.out(self.dropout(torch.cat(pooled, 1)))
