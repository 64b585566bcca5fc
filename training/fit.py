"""The training loop that teachers and students share."""

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

Classifier = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


class Epoch(NamedTuple):
    """Rows with their target distributions.

    `trust` says how much of a row's target is `targets`; the teacher supplies the rest.
    """

    rows: list[Row]
    targets: torch.Tensor
    trust: torch.Tensor


@dataclass(frozen=True)
class Recipe:
    epochs: int
    learning_rate: float
    max_tokens: int = 2048
    weight_decay: float = 0.01
    warmup: float = 0.05
    word_dropout: float = 0.1
    average_decay: float = 0.998
    bfloat16: bool = False


class Average:
    """An exponential moving average of a model's weights."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.model, self.decay, self.steps = copy.deepcopy(model).eval(), decay, 0

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        self.steps += 1
        keep = min(self.decay, self.steps / (self.steps + 10))
        torch._foreach_lerp_(list(self.model.parameters()), list(model.parameters()), 1 - keep)


def drop_words(ids: torch.Tensor, share: float) -> torch.Tensor:
    """Replaces a random share of the words by the unknown token."""
    dropped = (torch.rand(ids.shape) < share) & (ids >= SPECIAL_IDS)
    return ids.masked_fill(dropped, UNK_ID)


def fit(
    model: nn.Module,
    sample: Callable[[random.Random], Epoch],
    recipe: Recipe,
    seed: int,
    teacher: Classifier | None = None,
    after_epoch: Callable[[int, nn.Module], None] = lambda epoch, model: None,
) -> nn.Module:
    """Trains with cross-entropy against soft targets and returns the averaged weights."""
    rng = random.Random(seed)
    torch.manual_seed(seed)
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(
        parameters, lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True
    )
    average = Average(model, recipe.average_decay)
    started = time.monotonic()
    for epoch in range(recipe.epochs):
        model.train()
        rows, targets, trust = sample(rng)
        batches = by_length([len(row) for row in rows], recipe.max_tokens, rng)
        for number, batch in enumerate(batches):
            progress = (epoch + number / len(batches)) / recipe.epochs
            for group in optimizer.param_groups:
                group["lr"] = recipe.learning_rate * schedule(progress, recipe.warmup)
            ids, mask = pad([rows[index] for index in batch])
            ids = drop_words(ids, recipe.word_dropout)
            wanted = targets[batch]
            if teacher:
                share = trust[batch, None]
                wanted = share * wanted + (1 - share) * teacher(ids, mask)
            with torch.autocast("cpu", torch.bfloat16, enabled=recipe.bfloat16):
                logits = model(ids, mask)
            loss = -(wanted * logits.float().log_softmax(-1)).sum(-1).mean()
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            average.update(model)
        print(f"epoch {epoch + 1}/{recipe.epochs}, {time.monotonic() - started:.0f} s", flush=True)
        after_epoch(epoch, average.model)
    return average.model


def schedule(progress: float, warmup: float) -> float:
    """Linear warm-up, then linear decay to 2 %."""
    return progress / warmup if progress < warmup else max(0.02, (1 - progress) / (1 - warmup))


@torch.inference_mode()
def probabilities(model: Classifier, rows: list[Row], batch_size: int = 100) -> torch.Tensor:
    return torch.cat([model(ids, mask).float().softmax(-1) for ids, mask in in_order(rows, batch_size)])


def accuracy(model: Classifier, rows: list[Row], labels: torch.Tensor) -> float:
    return (probabilities(model, rows).argmax(-1) == labels).float().mean().item()
