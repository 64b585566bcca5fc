"""Groups token sequences of similar length into padded batches."""

import random
from collections.abc import Iterator, Sequence

import torch

Row = list[int]


def by_length(lengths: Sequence[int], max_tokens: int, rng: random.Random) -> list[list[int]]:
    """Row numbers in batches of at most `max_tokens` padded tokens, in random order."""
    order = sorted(range(len(lengths)), key=lambda index: (lengths[index], rng.random()))
    batches: list[list[int]] = []
    current: list[int] = []
    for index in order:
        if current and lengths[index] * (len(current) + 1) > max_tokens:
            batches.append(current)
            current = []
        current.append(index)
    if current:
        batches.append(current)
    rng.shuffle(batches)
    return batches


def pad(rows: Sequence[Row], pad_id: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and attention mask, padded at the end to the longest row."""
    width = max(map(len, rows))
    ids = torch.tensor([row + [pad_id] * (width - len(row)) for row in rows])
    return ids, torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])


def in_order(
    rows: Sequence[Row], size: int, pad_id: int = 0
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    for start in range(0, len(rows), size):
        yield pad(rows[start : start + size], pad_id)
