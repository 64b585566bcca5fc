"""When two answers name the same labels, and how near a text is to another label."""

import numpy as np
from transformers import PretrainedConfig

ACTIVATIONS = {
    "single_label_classification": "softmax",
    "multi_label_classification": "sigmoid",
    "regression": "none",
}


def problem_type(config: PretrainedConfig) -> str:
    """As the pipeline of Transformers and the server decide it."""
    if config.num_labels == 1 and config.problem_type != "regression":
        return "multi_label_classification"
    return config.problem_type or "single_label_classification"


def same_labels(problem: str, expected: np.ndarray, actual: np.ndarray) -> bool:
    if problem == "regression":
        return True
    if problem == "multi_label_classification":
        return bool(((expected > 0) == (actual > 0)).all())
    return int(expected.argmax()) == int(actual.argmax())


def slack(problem: str, logits: np.ndarray) -> float:
    """How much every logit may be off before a label changes."""
    if problem == "regression":
        return float("inf")
    if problem == "multi_label_classification":
        return float(np.abs(logits).min())
    second, first = np.sort(logits)[-2:]
    return float(first - second) / 2
