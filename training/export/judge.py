"""Judges an exported file by the reference: how far its logits are off, and whether it keeps the labels."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from answers import Answer
from labels import same_labels, slack
from replay import Logits, alone, largest_difference, open_session, together

# A label is clear from this share of the median slack on. The texts are in more languages than most models know, so some
# are ties in any model.
CLEAR = 0.5

# Room for other texts and other processors. fp32 and fp16 differ by rounding alone, int8 by its steps.
ROOM = {"fp32": 5.0, "fp16": 5.0, "int8": 3.0}
LEAST = {"fp32": 1e-3, "fp16": 1e-3, "int8": 1e-3}
# Most that a logit may be off, as a share of the largest logit (at least 1 for fp32 and fp16, as in the server).
MOST = {"fp32": 1e-3, "fp16": 5e-2, "int8": 0.5}


Batches = Literal["padded", "equal_length", "one_at_a_time"]


@dataclass(frozen=True)
class Verdict:
    precision: str
    path: Path
    difference: float
    tolerance: float
    # Texts whose labels differ from the reference, clear or not.
    changed: int
    # Why the file must not be used; empty: nothing is known against it.
    faults: list[str]


@dataclass(frozen=True)
class Judge:
    problem: str
    pad: int
    # Which texts may share a batch, in the server's words.
    batches: Batches

    def judge(self, precision: str, path: Path, answers: Sequence[Answer]) -> Verdict:
        replays = self.replays(precision, path, answers)
        difference = max(largest_difference(answers, logits) for logits in replays)
        clear = self.clear(answers)
        changed = [
            self.slack(answer)
            for index, answer in enumerate(answers)
            if not self.keeps(answer, [logits[index] for logits in replays])
        ]
        lost = [found for found in changed if found >= clear]
        faults = []
        most = self.most(precision, answers)
        if not difference <= most:
            faults.append(f"a logit is off by {difference:.3g}, more than {most:.3g}")
        if lost:
            faults.append(
                f"it changes clear labels of {len(lost)} of {len(answers)} texts "
                f"(clear: one that stays while logits are off by less than {clear:.2g}; "
                f"the clearest that changed: {max(lost):.2g})"
            )
        return Verdict(precision, path, difference, tolerance(precision, difference, most), len(changed), faults)

    def reproduces(self, verdict: Verdict, answers: Sequence[Answer]) -> list[bool]:
        """Of every text, whether the file gives the labels, and the logits within tolerance."""
        replays = self.replays(verdict.precision, verdict.path, answers)
        return [
            self.keeps(answer, [logits[index] for logits in replays])
            and all(np.abs(answer.logits - logits[index]).max() <= verdict.tolerance for logits in replays)
            for index, answer in enumerate(answers)
        ]

    def replays(self, precision: str, path: Path, answers: Sequence[Answer]) -> list[Logits]:
        """The texts' logits, once alone and once in batches."""
        session = open_session(path)
        found = [alone(session, answers, self.pad)]
        if self.batches == "one_at_a_time":
            return found
        found.append(together(session, answers, self.pad, self.batches == "padded"))
        if precision == "int8" and self.batches == "equal_length":
            # The server judges int8 by its labels: it pads where those stay.
            padded = together(session, answers, self.pad, True)
            if all(self.keeps(answer, [logits]) for answer, logits in zip(answers, padded, strict=True)):
                found.append(padded)
        return found

    def keeps(self, answer: Answer, logits: Logits) -> bool:
        return all(same_labels(self.problem, answer.logits, row) for row in logits)

    def slack(self, answer: Answer) -> float:
        return slack(self.problem, answer.logits)

    def clear(self, answers: Sequence[Answer]) -> float:
        return CLEAR * float(np.median([self.slack(answer) for answer in answers]))

    def most(self, precision: str, answers: Sequence[Answer]) -> float:
        largest = max(float(np.abs(answer.logits).max()) for answer in answers)
        return MOST[precision] * (largest if precision == "int8" else max(1.0, largest))


def tolerance(precision: str, difference: float, most: float) -> float:
    """The measured difference with room, within what is sensible, rounded up to two digits."""
    value = min(max(ROOM[precision] * difference, LEAST[precision]), max(most, LEAST[precision]))
    if not math.isfinite(value):
        return most
    step = 10.0 ** (math.floor(math.log10(value)) - 1)
    return float(f"{math.ceil(value / step - 1e-9) * step:.2g}")


def shared_batches(path: Path, answers: Sequence[Answer], pad: int) -> Batches:
    """Which neighbours leave the answers of the fp32 file as they are."""
    session = open_session(path)
    most = MOST["fp32"] * max(1.0, *(float(np.abs(answer.logits).max()) for answer in answers))
    for batches in ("padded", "equal_length"):
        try:
            logits = together(session, answers, pad, batches == "padded")
        except Exception:
            continue
        if largest_difference(answers, logits) <= most:
            return batches
    return "one_at_a_time"
