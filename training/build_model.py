"""Turns a trained checkpoint into a model folder: int8 ONNX, tokenizer, golden.json; with --fp32 the full weights too."""

import argparse
import json
import math
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer
from transformers import PreTrainedModel

from evaluate import OnnxClassifier
from onnx_export import export_onnx
from golden import as_inputs, encode, largest_error, record, replay, write_golden
from golden_texts import GOLDEN_TEXTS
from layout import input_names, write_json, write_layout
from minilm import MeanClassifier
from quantize import quantize_calibrated
from scoring import best_thresholds
from smoothing import Batch
from sst2 import detokenize
from tasks import TASKS, Task

CALIBRATION_TEXTS = 400
CALIBRATION_SEED = 3
MIN_MARGIN = {"single_label_classification": 0.5, "multi_label_classification": 0.3}


def calibration_texts(task: str, data: Path) -> list[str]:
    """Training texts, from which int8 learns the range of every activation."""
    texts = sorted({detokenize(text) for text in TASKS[task](data).texts_for_calibration()})
    return random.Random(CALIBRATION_SEED).sample(texts, CALIBRATION_TEXTS)


def calibration_batches(model: PreTrainedModel, tokenizer: Tokenizer, texts: list[str]) -> Iterator[Batch]:
    names = input_names(model.config)
    for text in texts:
        inputs = as_inputs(names, encode(tokenizer, text, model.config.max_position_embeddings))
        yield {name: np.array(value) for name, value in inputs.items()}


def margin(logits: list[float], problem_type: str) -> float:
    """How far the logits are from other labels."""
    if problem_type == "multi_label_classification":
        return min(map(abs, logits))
    second, first = sorted(logits)[-2:]
    return first - second


def clear_entries(entries: list[dict], problem_type: str) -> list[dict]:
    """Leaves out the texts whose labels are nearly tied: int8 may swap those."""
    kept = []
    for entry in entries:
        distance = margin(entry["logits"], problem_type)
        if distance >= MIN_MARGIN[problem_type]:
            kept.append(entry)
        else:
            print(f"left out, margin {distance:.2f}: {entry['text'][:60]!r}")
    return kept


def labels_of(logits: np.ndarray, problem_type: str) -> np.ndarray:
    return logits > 0 if problem_type == "multi_label_classification" else logits.argmax(1)


def write_thresholds(folder: Path, task: Task) -> None:
    """Adds to config.json the score from which on each label is taken: the best on the held-out texts, in int8."""
    logits = OnnxClassifier(folder, "onnx/model_quantized.onnx").all_logits(task.held_out, 1)
    tuned = best_thresholds(1 / (1 + np.exp(-logits)), task.held_out_targets.numpy())
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config["thresholds"] = dict(zip(task.labels, tuned.tolist(), strict=True))
    write_json(folder / "config.json", config)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", choices=sorted(TASKS))
    parser.add_argument("--checkpoint", type=Path, required=True, help="what train.py wrote")
    parser.add_argument("--out", type=Path, required=True, help="for example models/sentiment/1")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--fp32", action="store_true", help="writes onnx/model.onnx as well")
    args = parser.parse_args()

    model = MeanClassifier.from_pretrained(args.checkpoint).eval()
    problem_type = model.config.problem_type
    tokenizer = Tokenizer.from_file(str(args.checkpoint / "tokenizer.json"))
    int8 = args.out / "onnx" / "model_quantized.onnx"
    write_layout(args.out, model.config, tokenizer)
    int8.parent.mkdir(exist_ok=True)
    entries = clear_entries(record(model, tokenizer, GOLDEN_TEXTS[args.task]), problem_type)
    with tempfile.TemporaryDirectory() as scratch:
        fp32 = (int8.parent if args.fp32 else Path(scratch)) / "model.onnx"
        export_onnx(model, fp32)
        batches = list(calibration_batches(model, tokenizer, calibration_texts(args.task, args.data)))
        quantize_calibrated(fp32, int8, batches, TASKS[args.task].smoothed)
        fp32_error = largest_error(fp32, entries)
    if problem_type == "multi_label_classification":
        write_thresholds(args.out, TASKS[args.task](args.data))
    int8_error = largest_error(int8, entries)
    tolerance = math.ceil(20 * int8_error) / 10
    write_golden(args.out / "golden.json", model, entries, int8_tolerance=tolerance)

    recorded = labels_of(np.array([entry["logits"] for entry in entries]), problem_type)
    swapped = (labels_of(replay(int8, entries), problem_type) != recorded).reshape(len(entries), -1).any(1).sum()
    print(f"{len(entries)} golden entries; largest error: fp32 {fp32_error:.2e}, int8 {int8_error:.3f}")
    print(f"texts whose labels int8 changes: {swapped}; int8 tolerance {tolerance}")


if __name__ == "__main__":
    main()
