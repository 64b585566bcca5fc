"""Loads a checkpoint's model and tokenizer, and refuses what no server could classify with."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from transformers import (
    MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING,
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PretrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import cached_file

from errors import ExportError

TASK = "ForSequenceClassification"

T = TypeVar("T")


@dataclass(frozen=True)
class Checkpoint:
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase


def load_checkpoint(name: str, revision: str | None) -> Checkpoint:
    """Reads a folder or a model of the Hub. Code that comes with a checkpoint never runs."""
    if not Path(name).is_dir() and (name.startswith((".", "~", os.sep)) or name.count("/") > 1):
        raise ExportError(f"{name} is no folder")
    source = {"pretrained_model_name_or_path": name, "revision": revision or "main", "trust_remote_code": False}
    config = attempt(name, "config.json", lambda: AutoConfig.from_pretrained(**source))
    require_classifier(name, config)
    model, loading = attempt(
        name,
        "the weights",
        lambda: AutoModelForSequenceClassification.from_pretrained(
            **source, config=config, dtype=torch.float32, output_loading_info=True
        ),
    )
    missing = sorted(loading["missing_keys"])
    if missing:
        raise ExportError(
            f"{name} holds no weights for {', '.join(missing[:4])}{', ...' * (len(missing) > 4)}: it is not trained to "
            "classify, and random numbers would take their place. Train it first, or name the checkpoint that was trained"
        )
    tokenizer = attempt(name, "the tokenizer", lambda: AutoTokenizer.from_pretrained(**source))
    require_fast(name, tokenizer, source)
    return Checkpoint(model.eval(), tokenizer)


def attempt(name: str, part: str, load: Callable[[], T]) -> T:
    try:
        return load()
    except Exception as error:
        raise ExportError(f"cannot read {part} of {name}: {first_lines(error)}") from error


def first_lines(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:3]) or type(error).__name__


def require_classifier(name: str, config: PretrainedConfig) -> None:
    architectures = config.architectures or []
    if architectures and not any(architecture.endswith(TASK) for architecture in architectures):
        raise ExportError(f"{name} is a {' and '.join(architectures)}; expected a ...{TASK}")
    if type(config) not in MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING:
        raise ExportError(f"Transformers knows no {TASK} for the model type {config.model_type} of {name}")


def require_fast(name: str, tokenizer: PreTrainedTokenizerBase, source: dict) -> None:
    """Transformers makes up an empty tokenizer where a checkpoint has none."""
    files = {"tokenizer.json", *tokenizer.vocab_files_names.values()}
    if not any(has_file(source, file) for file in files):
        raise ExportError(
            f"{name} has no tokenizer: expected one of {', '.join(sorted(files))}. "
            "Save that of the training beside the weights, with tokenizer.save_pretrained(...)"
        )
    if not tokenizer.is_fast:
        raise ExportError(
            f"{name} has a {type(tokenizer).__name__}, which runs in Python only; the server reads tokenizer.json. "
            "Build a fast tokenizer with the same vocabulary (transformers.convert_slow_tokenizer, or the library "
            "tokenizers) and save it beside the weights"
        )


def has_file(source: dict, file: str) -> bool:
    found = cached_file(
        source["pretrained_model_name_or_path"],
        file,
        revision=source["revision"],
        _raise_exceptions_for_missing_entries=False,
        _raise_exceptions_for_connection_errors=False,
    )
    return found is not None
