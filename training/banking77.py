"""Reads the banking77 training split."""

import csv
import random
from collections import defaultdict
from pathlib import Path

from sst2 import Example, Split


def read_queries(folder: Path) -> tuple[list[Example], list[str]]:
    """The queries of train.csv and the label names in alphabetical order."""
    with open(folder / "train.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    labels = sorted({row["category"] for row in rows})
    index = {label: number for number, label in enumerate(labels)}
    return [Example(row["text"].strip(), index[row["category"]]) for row in rows], labels


def split_stratified(examples: list[Example], share: float, seed: int) -> Split:
    """Holds out the same share of every label."""
    rng = random.Random(seed)
    by_label: dict[int, list[Example]] = defaultdict(list)
    for example in examples:
        by_label[example.label].append(example)
    split = Split([], [])
    for label in sorted(by_label):
        group = by_label[label]
        rng.shuffle(group)
        cut = round(len(group) * share)
        split.held_out.extend(group[:cut])
        split.train.extend(group[cut:])
    return split
