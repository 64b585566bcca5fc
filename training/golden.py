"""Records golden.json: texts with the token ids and logits that a correct server must reproduce."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
from tokenizers import Encoding, Tokenizer
from transformers import PreTrainedModel
from transformers import __version__ as transformers_version

from layout import input_names, write_json

FP32_TOLERANCE = 1e-3

Text = str | tuple[str, str]


def encode(tokenizer: Tokenizer, text: Text, max_length: int) -> Encoding:
    """Encodes with the special tokens, cut at the end of the longest text to fit `max_length`."""
    tokenizer.enable_truncation(max_length, strategy="longest_first")
    encoding = tokenizer.encode(*text) if isinstance(text, tuple) else tokenizer.encode(text)
    tokenizer.no_truncation()
    return encoding


def as_inputs(names: Sequence[str], encoding: Encoding) -> dict[str, list[list[int]]]:
    """One encoding as a batch of one row."""
    columns = {
        "input_ids": encoding.ids,
        "attention_mask": encoding.attention_mask,
        "token_type_ids": encoding.type_ids,
    }
    return {name: [columns[name]] for name in names}


@torch.inference_mode()
def record(model: PreTrainedModel, tokenizer: Tokenizer, texts: Sequence[Text]) -> list[dict]:
    """Runs the model in PyTorch, fp32, one text at a time."""
    model.eval()
    max_length = model.config.max_position_embeddings
    names = input_names(model.config)
    entries = []
    for text in texts:
        encoding = encode(tokenizer, text, max_length)
        inputs = {k: torch.tensor(v) for k, v in as_inputs(names, encoding).items()}
        logits = model(**inputs).logits[0].tolist()
        first, *rest = text if isinstance(text, tuple) else (text,)
        entries.append(
            {
                "text": first,
                **({"text_pair": rest[0]} if rest else {}),
                "token_ids": encoding.ids,
                "truncated": bool(encoding.overflowing),
                "logits": [round(value, 6) for value in logits],
            }
        )
    return entries


def write_golden(
    path: Path,
    model: PreTrainedModel,
    entries: list[dict],
    int8_tolerance: float | None = None,
    fp32_tolerance: float = FP32_TOLERANCE,
    fp16_tolerance: float | None = None,
    max_length: int | None = None,
) -> None:
    config = model.config
    tolerance = {"fp32": fp32_tolerance, "int8": int8_tolerance, "fp16": fp16_tolerance}
    write_json(
        path,
        {
            "generated_by": (
                f"Transformers {transformers_version}, PyTorch {torch.__version__}, fp32, one row at a time"
            ),
            "labels": [config.id2label[index] for index in range(config.num_labels)],
            "max_length": max_length or config.max_position_embeddings,
            "tolerance": {name: value for name, value in tolerance.items() if value is not None},
            "entries": entries,
        },
    )


def replay(path: Path, entries: Sequence[dict]) -> np.ndarray:
    """The logits that an ONNX file gives for the entries, one row at a time."""
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    types = {"tensor(int32)": np.int32, "tensor(int64)": np.int64}
    rows = []
    for entry in entries:
        ids = np.array([entry["token_ids"]])
        columns = {
            "input_ids": ids,
            "attention_mask": np.ones_like(ids),
            "token_type_ids": token_types(entry, ids),
        }
        inputs = {i.name: columns[i.name].astype(types[i.type]) for i in session.get_inputs()}
        rows.append(session.run(["logits"], inputs)[0][0])
    return np.stack(rows)


def token_types(entry: dict, ids: np.ndarray) -> np.ndarray:
    """0 up to the first separator, 1 after it where the entry is a pair."""
    types = np.zeros_like(ids)
    if "text_pair" in entry:
        separator = ids[0][-1]
        types[0, np.argmax(ids[0] == separator) + 1 :] = 1
    return types


def largest_error(path: Path, entries: Sequence[dict]) -> float:
    """The largest difference between the ONNX file's logits and the recorded ones."""
    recorded = np.array([entry["logits"] for entry in entries])
    return float(np.abs(replay(path, entries) - recorded).max())
