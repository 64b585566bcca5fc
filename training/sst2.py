"""Reads the SST-2 phrases and separates whole sentences, with all their phrases, for model selection.

The training split of SST-2 mixes whole sentences with the phrases of their parse trees. A random split would put
phrases of one sentence on both sides, so the hold-out takes whole sentences and removes from training every phrase
that occurs in held-out sentences alone. That mirrors the public validation set, whose sentences share only such
phrases with training ("a good film") as other training sentences hold too.
"""

import csv
import random
import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import NamedTuple

LABELS = ["NEGATIVE", "POSITIVE"]
MIN_SENTENCE_WORDS = 5


class Example(NamedTuple):
    text: str
    label: int


class Split(NamedTuple):
    train: list[Example]
    held_out: list[Example]


def read_phrases(folder: Path) -> list[Example]:
    """All labelled phrases of train.tsv and dev.tsv, in file order."""
    examples = []
    for name in ("train.tsv", "dev.tsv"):
        with open(folder / name, encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
            examples += [Example(row["sentence"].strip(), int(row["label"])) for row in rows]
    return examples


def containers(texts: list[str]) -> dict[str, set[str]]:
    """Maps each text to the other texts in which its words occur in one run."""
    padded = {text: f" {text} " for text in dict.fromkeys(texts)}
    frequency = Counter(word for text in padded for word in set(text.split()))
    by_word: dict[str, list[str]] = defaultdict(list)
    for text in padded:
        for word in set(text.split()):
            by_word[word].append(text)
    found: dict[str, set[str]] = {}
    for text, needle in padded.items():
        rarest = min(text.split(), key=frequency.__getitem__, default=None)
        candidates = by_word[rarest] if rarest else []
        found[text] = {other for other in candidates if len(other) > len(text) and needle in padded[other]}
    return found


def whole_sentences(examples: list[Example], within: dict[str, set[str]]) -> list[Example]:
    """The examples that occur in no longer one, each once, in a stable order."""
    whole = {e for e in examples if not within[e.text] and len(e.text.split()) >= MIN_SENTENCE_WORDS}
    return sorted(whole)


def whole_sentences_of(examples: list[Example]) -> list[Example]:
    """The whole sentences among the examples, each once."""
    return whole_sentences(examples, containers([example.text for example in examples]))


def split_sentences(examples: list[Example], held_out: int, seed: int) -> Split:
    """Holds out whole sentences and drops from training the phrases that only they contain."""
    within = containers([example.text for example in examples])
    sentences = whole_sentences(examples, within)
    chosen = random.Random(seed).sample(sentences, held_out)
    names = {example.text for example in chosen}
    kept = {example.text for example in sentences} - names

    def allowed(text: str) -> bool:
        return text not in names and not (within[text] & names and not within[text] & kept)

    return Split([e for e in examples if allowed(e.text)], chosen)


REPLACEMENTS = [
    (r" n't\b", "n't"),
    (r"\s+('s|'re|'ve|'ll|'d|'m)\b", r"\1"),
    (r"``|''", '"'),
    (r"-lrb-\s*", "("),
    (r"\s*-rrb-", ")"),
    (r"\s+([.,!?;:])", r"\1"),
]


def detokenize(text: str) -> str:
    """Turns SST's spaced tokens back into ordinary writing."""
    for pattern, replacement in REPLACEMENTS:
        text = re.sub(pattern, replacement, text)
    return text
