"""Says how good a model folder is: held-out score in every precision it holds, everyday sentences, neighbours, speed, size.

The embedded models are trained without the texts that are held out, so their figures mean something.
"""

import argparse
import random
import time
from pathlib import Path

import numpy as np

from evaluate import OnnxClassifier, read_labelled
from scoring import accuracy, best_thresholds, f1, judge
from sst2 import detokenize
from tasks import SEED, TASKS, Task, one_hot

EVERYDAY = Path(__file__).with_name("everyday.tsv")
FILES = {"fp32": "onnx/model.onnx", "int8": "onnx/model_quantized.onnx"}
SHAPES = [(1, 16), (1, 32), (8, 32)]


def largest_shift(model: OnnxClassifier, texts: list[str]) -> float:
    """How far a logit moves between a batch of one and batches of 8 random neighbours."""
    shuffled = random.Random(SEED).sample(texts, min(len(texts), 1000))
    return float(np.abs(model.all_logits(shuffled, 8) - model.all_logits(shuffled, 1)).max())


def milliseconds(model: OnnxClassifier, batch: int, length: int, runs: int = 30) -> float:
    """The fastest run on one thread: on a shared machine the others measure the neighbours."""
    ids = np.random.default_rng(SEED).integers(5, 2000, (batch, length))
    columns = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
    inputs = {given.name: columns[given.name] for given in model.session.get_inputs()}
    times = []
    for _ in range(runs + 5):
        started = time.perf_counter()
        model.session.run(None, inputs)
        times.append(time.perf_counter() - started)
    return 1000 * min(times[5:])


def describe(task: Task, name: str, model: OnnxClassifier, size: int) -> np.ndarray:
    """Prints the model's figures and returns its logits of the held-out texts."""
    logits = model.all_logits(task.held_out, 1)
    print(f"{name}: {size / 1e6:.2f} MB, {len(task.held_out)} held-out texts: {judge(task, logits)}")
    print(f"  largest shift of a logit by neighbours in the batch: {largest_shift(model, task.held_out):.2e}")
    print("  " + ", ".join(f"{b} x {s}: {milliseconds(model, b, s):.2f} ms" for b, s in SHAPES))
    return logits


def describe_sentiment(task: Task, model: OnnxClassifier) -> None:
    plain = model.all_logits([detokenize(text) for text in task.held_out], 1)
    print(f"  held-out texts in ordinary spelling: accuracy {accuracy(plain, task.held_out_targets.numpy()):.4f}")
    texts, labels = read_labelled(EVERYDAY, task.labels)
    logits = model.all_logits(texts, 1)
    print(f"  {len(texts)} everyday sentences: accuracy {accuracy(logits, one_hot(labels.tolist(), 2).numpy()):.4f}")
    for text, label, row in zip(texts, labels, logits, strict=True):
        if row.argmax() != label:
            print(f"    taken for {task.labels[row.argmax()]} by {abs(row[1] - row[0]):.2f}: {text}")


def describe_emotion(task: Task, logits: np.ndarray) -> None:
    scores, targets = 1 / (1 + np.exp(-logits)), task.held_out_targets.numpy()
    tuned = best_thresholds(scores, targets)
    print("  label, threshold, F1 there, F1 at 0.5, comments that have it")
    for column in zip(
        task.labels, tuned, f1(scores >= tuned, targets), f1(scores >= 0.5, targets), targets.sum(0), strict=True
    ):
        print("  | {} | {:.2f} | {:.2f} | {:.2f} | {:.0f} |".format(*column))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", choices=sorted(TASKS))
    parser.add_argument("model", type=Path, help="for example models/sentiment/1")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    args = parser.parse_args()
    task = TASKS[args.task](args.data)
    for name, file in FILES.items():
        if not (args.model / file).exists():
            continue
        model = OnnxClassifier(args.model, file)
        logits = describe(task, name, model, (args.model / file).stat().st_size)
        if args.task == "sentiment":
            describe_sentiment(task, model)
        if args.task == "emotion":
            describe_emotion(task, logits)


if __name__ == "__main__":
    main()
