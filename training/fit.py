"""The training loop: one for single labels and for several."""

import copy
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn

from batches import Row, by_length, in_order, pad

UNK_ID = 1
SPECIAL_IDS = 5

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


class Epoch(NamedTuple):
    """Rows with their targets: a share for each label."""

    rows: list[Row]
    targets: torch.Tensor


@dataclass(frozen=True)
class Recipe:
    epochs: int
    learning_rate: float
    max_tokens: int = 1024
    weight_decay: float = 0.01
    warmup: float = 0.06
    word_dropout: float = 0.05
    average_decay: float = 0.995
    frozen_layers: int | None = 2
    """Lowest layers that stay as they are, with the embeddings; None: everything learns."""
    pad_id: int = 0


class Average:
    """An exponential moving average of a model's weights."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.model, self.decay, self.steps = copy.deepcopy(model).eval(), decay, 0

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        self.steps += 1
        keep = min(self.decay, self.steps / (self.steps + 10))
        pairs = zip(self.model.parameters(), model.parameters(), strict=True)
        own, new = zip(*((mine, its) for mine, its in pairs if its.requires_grad), strict=True)
        torch._foreach_lerp_(own, new, 1 - keep)


def cross_entropy(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return -(targets * logits.log_softmax(-1)).sum(-1).mean()


def multiplies_bfloat16() -> bool:
    """Whether the processor does. bfloat16 took 0.7 of the time on an AMD EPYC with AVX512-BF16, and 1.5 times as long on a Xeon without AMX."""
    able = torch.cpu.get_capabilities()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))


def drop_words(ids: torch.Tensor, share: float) -> torch.Tensor:
    """Replaces a random share of the words by the unknown token."""
    dropped = (torch.rand(ids.shape) < share) & (ids >= SPECIAL_IDS)
    return ids.masked_fill(dropped, UNK_ID)


def fit(
    model: nn.Module,
    sample: Callable[[random.Random], Epoch],
    recipe: Recipe,
    seed: int,
    loss_of: Loss = cross_entropy,
    after_epoch: Callable[[int, float, nn.Module], None] = lambda epoch, seconds, model: None,
) -> nn.Module:
    """Trains, and returns the moving average of the weights."""
    rng = random.Random(seed)
    torch.manual_seed(seed)
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(
        parameters, lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True
    )
    average = Average(model, recipe.average_decay)
    mixed = multiplies_bfloat16()
    started = time.monotonic()
    for epoch in range(recipe.epochs):
        model.train()
        rows, targets = sample(rng)
        batches = by_length([len(row) for row in rows], recipe.max_tokens, rng)
        for number, batch in enumerate(batches):
            progress = (epoch + number / len(batches)) / recipe.epochs
            for group in optimizer.param_groups:
                group["lr"] = recipe.learning_rate * schedule(progress, recipe.warmup)
            ids, mask = pad([rows[index] for index in batch], recipe.pad_id)
            with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
                logits = model(drop_words(ids, recipe.word_dropout), mask).logits
            loss = loss_of(logits.float(), targets[batch])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            average.update(model)
        after_epoch(epoch, time.monotonic() - started, average.model)
    return average.model


def schedule(progress: float, warmup: float) -> float:
    """Linear warm-up, then linear decay to 2 %."""
    return progress / warmup if progress < warmup else max(0.02, (1 - progress) / (1 - warmup))


@torch.inference_mode()
def all_logits(model: nn.Module, rows: list[Row], batch_size: int = 32, pad_id: int = 0) -> torch.Tensor:
    """The logits of every row, in order."""
    order = sorted(range(len(rows)), key=lambda index: len(rows[index]))
    batches = in_order([rows[index] for index in order], batch_size, pad_id)
    sorted_logits = torch.cat([model(*batch).logits for batch in batches])
    logits = torch.empty_like(sorted_logits)
    logits[torch.tensor(order)] = sorted_logits
    return logits
