"""Turns a trained checkpoint into a model folder: fp32 and int8 ONNX files, tokenizer and golden.json."""

import argparse
import math
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer
from transformers import DistilBertForSequenceClassification, PreTrainedModel

from banking77 import read_queries
from export import export_onnx
from golden import as_inputs, encode, largest_error, record, replay, write_golden
from golden_texts import GOLDEN_TEXTS
from layout import input_names, write_layout
from quantize import Batch, quantize_calibrated
from sst2 import detokenize, read_phrases

CALIBRATION_TEXTS = 400
CALIBRATION_SEED = 3
MIN_MARGIN = 0.5


def calibration_texts(task: str, data: Path) -> list[str]:
    """Training texts, from which int8 learns the range of every activation."""
    if task == "sentiment":
        texts = [detokenize(example.text) for example in read_phrases(data / "sst2")]
    else:
        texts = [example.text for example in read_queries(data / "banking77")[0]]
    return random.Random(CALIBRATION_SEED).sample(sorted(set(texts)), CALIBRATION_TEXTS)


def calibration_batches(model: PreTrainedModel, tokenizer: Tokenizer, texts: list[str]) -> Iterator[Batch]:
    names = input_names(model.config)
    for text in texts:
        inputs = as_inputs(names, encode(tokenizer, text, model.config.max_position_embeddings))
        yield {name: np.array(value) for name, value in inputs.items()}


def clear_entries(entries: list[dict]) -> list[dict]:
    """Leaves out the texts whose two best labels are nearly tied: int8 may swap those."""
    kept = []
    for entry in entries:
        second, first = sorted(entry["logits"])[-2:]
        if first - second >= MIN_MARGIN:
            kept.append(entry)
        else:
            print(f"left out, margin {first - second:.2f}: {entry['text'][:60]!r}")
    return kept


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", choices=sorted(GOLDEN_TEXTS))
    parser.add_argument("--checkpoint", type=Path, required=True, help="what train_<task>.py wrote")
    parser.add_argument("--out", type=Path, required=True, help="for example models/sentiment/1")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    args = parser.parse_args()

    model = DistilBertForSequenceClassification.from_pretrained(args.checkpoint).eval()
    tokenizer = Tokenizer.from_file(str(args.checkpoint / "tokenizer.json"))
    fp32, int8 = (args.out / "onnx" / name for name in ("model.onnx", "model_quantized.onnx"))
    write_layout(args.out, model.config, tokenizer)
    export_onnx(model, fp32)
    quantize_calibrated(fp32, int8, calibration_batches(model, tokenizer, calibration_texts(args.task, args.data)))

    entries = clear_entries(record(model, tokenizer, GOLDEN_TEXTS[args.task]))
    error = largest_error(int8, entries)
    tolerance = math.ceil(30 * error) / 10
    write_golden(args.out / "golden.json", model, entries, int8_tolerance=tolerance)

    recorded = np.array([entry["logits"] for entry in entries]).argmax(1)
    swapped = int((replay(int8, entries).argmax(1) != recorded).sum())
    print(f"{len(entries)} golden entries; largest error: fp32 {largest_error(fp32, entries):.2e}, int8 {error:.3f}")
    print(f"labels that int8 swaps: {swapped}; int8 tolerance {tolerance}")


if __name__ == "__main__":
    main()
