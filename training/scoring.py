"""How a model is judged: accuracy for one label of many, macro F1 at tuned thresholds for several."""

import numpy as np

from tasks import Task


def judge(task: Task, logits: np.ndarray) -> str:
    targets = task.held_out_targets.numpy()
    if task.problem_type != "multi_label_classification":
        return f"accuracy {accuracy(logits, targets):.4f}"
    scores = 1 / (1 + np.exp(-logits))
    tuned = best_thresholds(scores, targets)
    return (
        f"macro F1 {f1(scores >= tuned, targets).mean():.4f} at tuned thresholds, "
        f"{f1(scores >= 0.5, targets).mean():.4f} at 0.5; without tuning on the texts judged {halves(scores, targets):.4f}"
    )


def accuracy(logits: np.ndarray, targets: np.ndarray) -> float:
    return float((logits.argmax(1) == targets.argmax(1)).mean())


def f1(said: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """F1 of every label: twice the hits over what was said plus what is so; 0 where both are nothing."""
    hits = (said * targets).sum(0)
    return 2 * hits / np.maximum(said.sum(0) + targets.sum(0), 1)


def best_thresholds(scores: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """For every label the threshold, in steps of 0.01, with the highest F1; the lowest of equals."""
    steps = np.arange(0.05, 0.95, 0.01)
    values = np.stack([f1(scores >= step, targets) for step in steps])
    return steps[values.argmax(0)].round(2)


def halves(scores: np.ndarray, targets: np.ndarray) -> float:
    """Macro F1 when each half of the texts is judged at thresholds tuned on the other."""
    even = np.arange(len(scores)) % 2 == 0
    said = np.empty(scores.shape, dtype=bool)
    for half in (even, ~even):
        said[half] = scores[half] >= best_thresholds(scores[~half], targets[~half])
    return float(f1(said, targets).mean())
