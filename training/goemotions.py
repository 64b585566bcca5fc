"""Reads GoEmotions: English comments with one or more of 28 emotions."""

from pathlib import Path
from typing import NamedTuple

from sst2 import Example

# Clear cases of the grouping in the paper (Demszky et al. 2020, figure 2).
POSITIVE = {"admiration", "excitement", "gratitude", "joy", "love", "pride", "relief"}
NEGATIVE = {"anger", "annoyance", "disappointment", "disapproval", "disgust", "embarrassment", "sadness"}


class Comment(NamedTuple):
    text: str
    labels: tuple[int, ...]


def read_labels(folder: Path) -> list[str]:
    return (folder / "labels.txt").read_text(encoding="utf-8").split()


def read_comments(path: Path) -> list[Comment]:
    """The comments of train.tsv or dev.tsv, in file order."""
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").split("\n")[1:] if line]
    return [Comment(text, tuple(int(label) for label in labels.split(","))) for text, labels in rows]


def polar_comments(folder: Path) -> list[Example]:
    """The training comments all of whose emotions are clearly pleasant, or all clearly unpleasant."""
    names = read_labels(folder)
    polar = []
    for text, labels in read_comments(folder / "train.tsv"):
        emotions = {names[label] for label in labels}
        if emotions <= POSITIVE or emotions <= NEGATIVE:
            polar.append(Example(text, int(emotions <= POSITIVE)))
    return polar
