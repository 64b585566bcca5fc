"""Compares a model's fp32 and int8 files: held-out accuracy, batch dependence, speed and size.

Only a model that was trained with the default hold-out has a held-out accuracy that means anything.
"""

import argparse
import random
import tempfile
import time
from pathlib import Path

import numpy as np

from banking77 import read_queries, split_stratified
from evaluate import OnnxClassifier
from quantize import quantize_weights
from sst2 import Example, detokenize, read_phrases, split_sentences

SEED = 1
SHAPES = [(1, 16), (1, 32), (8, 16), (8, 32)]
EVERYDAY = [
    ("This movie was absolutely fantastic!", 1),
    ("This was terrible.", 0),
    ("I loved it.", 1),
    ("I didn't like this film at all.", 0),
    ("What a waste of time and money.", 0),
    ("Great acting and a wonderful story!", 1),
    ("The food was cold and the waiter was rude.", 0),
    ("The staff were friendly and helpful.", 1),
    ("Best purchase I've made this year.", 1),
    ("It broke after two days. Very disappointing.", 0),
    ("The hotel room was clean, quiet and comfortable.", 1),
    ("I would not recommend this to anyone.", 0),
    ("Highly recommended!", 1),
    ("Not bad at all.", 1),
    ("It wasn't very good.", 0),
    ("An absolute masterpiece.", 1),
    ("The ending was boring and predictable.", 0),
    ("I'm so happy with the result.", 1),
    ("The worst customer service I have ever experienced.", 0),
    ("A funny, charming and touching film.", 1),
    ("I fell asleep halfway through.", 0),
    ("Beautiful music and stunning pictures.", 1),
    ("This app keeps crashing and is useless.", 0),
    ("Thank you, that was a great help!", 1),
    ("The plot makes no sense.", 0),
    ("I can't wait to see it again.", 1),
]


def held_out(task: str, data: Path) -> list[Example]:
    if task == "sentiment":
        return split_sentences(read_phrases(data / "sst2"), 900, SEED).held_out
    return split_stratified(read_queries(data / "banking77")[0], 0.1, SEED).held_out


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def largest_shift(model: OnnxClassifier, texts: list[str]) -> float:
    """How far a logit moves between a batch of one and batches of 8 random neighbours."""
    shuffled = random.Random(SEED).sample(texts, len(texts))
    return float(np.abs(model.all_logits(shuffled, 8) - model.all_logits(shuffled, 1)).max())


def milliseconds(model: OnnxClassifier, batch: int, length: int, runs: int = 50) -> float:
    """The fastest run on one thread: on a shared machine the others measure the neighbours."""
    ids = np.random.default_rng(SEED).integers(5, 2000, (batch, length))
    inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
    times = []
    for _ in range(runs + 5):
        started = time.perf_counter()
        model.session.run(None, inputs)
        times.append(time.perf_counter() - started)
    return 1000 * min(times[5:])


def describe(name: str, model: OnnxClassifier, path: Path, examples: list[Example]) -> None:
    texts = [example.text for example in examples]
    labels = np.array([example.label for example in examples])
    right = (model.all_logits(texts, 1).argmax(1) == labels).mean()
    plain = (model.all_logits([detokenize(text) for text in texts], 1).argmax(1) == labels).mean()
    print(f"{name}: {path.stat().st_size / 1e6:.2f} MB, accuracy {right:.4f}, in ordinary spelling {plain:.4f}")
    print(f"  largest shift of a logit by neighbours in the batch: {largest_shift(model, texts):.2e}")
    print("  " + ", ".join(f"{b} x {s}: {milliseconds(model, b, s):.2f} ms" for b, s in SHAPES))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", choices=["intent", "sentiment"])
    parser.add_argument("model", type=Path)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    args = parser.parse_args()
    examples = held_out(args.task, args.data)
    fp32, int8 = (args.model / "onnx" / name for name in ("model.onnx", "model_quantized.onnx"))
    with tempfile.TemporaryDirectory() as scratch:
        dynamic = Path(scratch) / "dynamic.onnx"
        quantize_weights(fp32, dynamic)
        files = {"fp32": fp32, "int8, static": int8, "int8, dynamic (for comparison)": dynamic}
        models = {name: OnnxClassifier(args.model, str(path.absolute())) for name, path in files.items()}
        for name, path in files.items():
            describe(name, models[name], path, examples)
    if args.task == "sentiment":
        for text, label in EVERYDAY:
            shares = [softmax(models[name].logits([text]))[0, label] for name in ("fp32", "int8, static")]
            mark = " " if min(shares) > 0.5 else "!"
            print(f"{mark} {text:55} {'POSITIVE' if label else 'NEGATIVE'} {shares[0]:.3f} {shares[1]:.3f}")


if __name__ == "__main__":
    main()
