"""Trains teachers, and makes the DistilBERT student that learns from their averaged predictions."""

import random
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import torch
from torch import nn
from transformers import DistilBertConfig, DistilBertForSequenceClassification

from fit import Classifier, Epoch, Recipe, accuracy, fit
from layout import label_maps
from teacher import ConvText

POSITION_SCALE = 0.1


@dataclass(frozen=True)
class TeacherJob:
    seed: int
    recipe: Recipe
    vocab_size: int
    num_labels: int
    sample: Callable[[random.Random], Epoch]


def train_teacher(job: TeacherJob) -> nn.Module:
    torch.set_num_threads(1)
    torch.manual_seed(job.seed)
    return fit(ConvText(job.vocab_size, job.num_labels), job.sample, job.recipe, job.seed)


def train_teachers(jobs: Sequence[TeacherJob], processes: int) -> list[nn.Module]:
    """One process and one thread for each teacher, `processes` at a time."""
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        return [teacher.eval() for teacher in pool.map(train_teacher, jobs)]


class Ensemble:
    """The mean of the teachers' probabilities."""

    def __init__(self, teachers: Sequence[nn.Module]) -> None:
        self.teachers = teachers

    @torch.no_grad()
    def __call__(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return torch.stack([teacher(ids, mask).softmax(-1) for teacher in self.teachers]).mean(0)

    def logits(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return self(ids, mask).log()


class Student(nn.Module):
    """A DistilBERT classifier that is called like a teacher."""

    def __init__(self, bert: DistilBertForSequenceClassification) -> None:
        super().__init__()
        self.bert = bert
        bert.distilbert.embeddings.position_embeddings.weight.requires_grad_(False)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return self.bert(input_ids=ids, attention_mask=mask).logits


def new_student(config: DistilBertConfig, word_vectors: torch.Tensor) -> Student:
    """A student whose word vectors start as the teacher's.

    Its position vectors are fixed sinusoids, so that positions beyond the lengths seen in training still mean
    something.
    """
    bert = DistilBertForSequenceClassification(config)
    bert.set_attn_implementation("eager")
    embeddings = bert.distilbert.embeddings
    with torch.no_grad():
        embeddings.word_embeddings.weight.copy_(word_vectors)
        positions = embeddings.position_embeddings.weight
        positions.copy_(POSITION_SCALE * sinusoids(*positions.shape))
    return Student(bert)


def load(checkpoint: Path) -> Student:
    bert = DistilBertForSequenceClassification.from_pretrained(checkpoint)
    bert.set_attn_implementation("eager")
    return Student(bert)


def sinusoids(positions: int, dim: int) -> torch.Tensor:
    frequency = 10_000 ** (-torch.arange(0, dim, 2) / dim)
    angle = torch.arange(positions)[:, None] * frequency
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)


def student_config(vocab_size: int, labels: list[str], layers: int, dim: int, dropout: float) -> DistilBertConfig:
    return DistilBertConfig(
        vocab_size=vocab_size,
        dim=dim,
        n_layers=layers,
        n_heads=dim // 32,
        hidden_dim=4 * dim,
        max_position_embeddings=512,
        dropout=dropout,
        attention_dropout=0.0,
        seq_classif_dropout=dropout,
        initializer_range=0.05,
        pad_token_id=0,
        problem_type="single_label_classification",
        architectures=["DistilBertForSequenceClassification"],
        **label_maps(labels),
    )


def report(name: str, model: Classifier, rows: list[list[int]], labels: torch.Tensor) -> None:
    if rows:
        print(f"{name}: held-out accuracy {accuracy(model, rows, labels):.4f}", flush=True)
