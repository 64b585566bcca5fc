"""Reads written_reviews.tsv: sentences that were written for `sentiment` to learn from, as customers, guests and viewers write."""

from pathlib import Path

from sst2 import Example

FILE = Path(__file__).with_name("written_reviews.tsv")


def read_written() -> list[Example]:
    rows = (line.split("\t") for line in FILE.read_text(encoding="utf-8").split("\n")[1:] if line)
    return [Example(text, int(label)) for text, label in rows]
