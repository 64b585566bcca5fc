"""Small classifiers of three different kinds. Their average teaches the transformer that is served."""

import torch
from torch import nn


class NgramBag(nn.Module):
    """A linear model over hashed n-grams, as in fastText, without hidden layers."""

    def __init__(self, num_labels: int, buckets: int = 1 << 19, max_n: int = 3, dropout: float = 0.3) -> None:
        super().__init__()
        self.buckets, self.max_n = buckets, max_n
        self.weights = nn.Embedding(buckets, num_labels)
        self.dropout = nn.Dropout(dropout)
        nn.init.zeros_(self.weights.weight)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        total = torch.zeros((len(ids), self.weights.embedding_dim))
        hashed = torch.zeros_like(ids)
        for n in range(min(self.max_n, ids.shape[1])):
            width = ids.shape[1] - n
            hashed = (hashed[:, :width] * 1_000_003 + ids[:, n:] + 1) % 2_147_483_647
            present = self.dropout(mask[:, n:].float())
            total = total + (self.weights(hashed % self.buckets) * present[..., None]).sum(1)
        return total / mask.sum(1, keepdim=True).float().sqrt()


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


class RecurrentText(nn.Module):
    """A bidirectional LSTM, pooled over time."""

    def __init__(self, vocab_size: int, num_labels: int, dim: int = 192, hidden: int = 128) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, dim, padding_idx=0)
        nn.init.normal_(self.embedding.weight, std=0.3)
        self.rnn = nn.LSTM(dim, hidden, batch_first=True, bidirectional=True)
        self.dropout = nn.Dropout(0.5)
        self.out = nn.Linear(4 * hidden, num_labels)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        states, _ = self.rnn(self.dropout(self.embedding(ids)))
        weight = mask[..., None].float()
        mean = (states * weight).sum(1) / weight.sum(1)
        largest = (states + (weight - 1) * 1e4).amax(1)
        return self.out(self.dropout(torch.cat([mean, largest], 1)))
