"""Runs an exported file on texts, alone and in batches like the server's."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort

from answers import Answer
from quantize import Batch

# As many padded tokens as the server's comparison with golden.json has in one batch.
BATCH_TOKENS = 256

Logits = list[np.ndarray]


def open_session(path: Path) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.log_severity_level = 3
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def feeds(names: Sequence[str], answers: Sequence[Answer], pad: int) -> Batch:
    """One batch, padded to its longest text."""
    width = max(len(answer.ids) for answer in answers)

    def padded(name: str, answer: Answer) -> list[int]:
        return [*answer.columns[name], *[pad if name == "input_ids" else 0] * (width - len(answer.ids))]

    return {name: np.array([padded(name, answer) for answer in answers]) for name in names}


def run(session: ort.InferenceSession, answers: Sequence[Answer], pad: int) -> np.ndarray:
    names = [item.name for item in session.get_inputs()]
    return session.run(["logits"], feeds(names, answers, pad))[0]


def alone(session: ort.InferenceSession, answers: Sequence[Answer], pad: int) -> Logits:
    return [run(session, [answer], pad)[0] for answer in answers]


def together(session: ort.InferenceSession, answers: Sequence[Answer], pad: int, padded: bool) -> Logits:
    """Texts of one length, or with `padded` of neighbouring lengths, share batches."""
    lengths = [len(answer.ids) for answer in answers]
    batches: list[list[int]] = []
    for index in sorted(range(len(answers)), key=lambda index: lengths[index]):
        last = batches[-1] if batches else []
        fits = lengths[index] * (len(last) + 1) <= BATCH_TOKENS
        if last and fits and (padded or lengths[last[0]] == lengths[index]):
            last.append(index)
        else:
            batches.append([index])
    logits: dict[int, np.ndarray] = {}
    for batch in batches:
        logits |= dict(zip(batch, run(session, [answers[index] for index in batch], pad), strict=True))
    return [logits[index] for index in range(len(answers))]


def largest_difference(answers: Sequence[Answer], logits: Logits) -> float:
    """NaN counts as infinitely far."""
    differences = np.abs(np.stack([answer.logits for answer in answers]) - np.stack(logits))
    return float(np.nan_to_num(differences, nan=np.inf).max())
