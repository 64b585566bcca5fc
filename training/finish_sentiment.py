"""Lets a sentiment student learn on from itself and from a logistic regression, mostly on whole and made-up sentences.

By default it sees everything, the held-out sentences too. With `--held-out 900` it does not, and prints its accuracy
on them: that stands for the result.
"""

import argparse
import random
from pathlib import Path

import torch
from tokenizers import Tokenizer

from distil import Ensemble, Student, load, report
from fit import Epoch, Recipe, fit
from layout import write_layout
from regression import teach
from sst2 import Example, read_phrases, split_sentences
from train_sentiment import SEED as SPLIT_SEED
from train_sentiment import JOINTS, encode, spellings

SEED = 5
RECIPE = Recipe(epochs=3, learning_rate=6e-4, max_tokens=2048, average_decay=0.99, bfloat16=True)
COPIES = 2
PHRASES = 8_000
MADE_UP = 18_000
# Shares of a target; the rest is the former self's.
LABEL, REGRESSION = 0.4, 0.4
MADE_UP_REGRESSION = 0.6
# How much of the former weights stays in the result.
KEEP = 0.3


class Sentences:
    """Whole sentences several times, some phrases, and texts made from both; one of four spellings each."""

    def __init__(self, examples: list[Example], tokenizer: Tokenizer) -> None:
        self.examples, self.tokenizer = examples, tokenizer
        whole, self.regression, opinions = teach(examples)
        labels = torch.nn.functional.one_hot(torch.tensor([e.label for e in examples]), 2).float()
        mixed = LABEL * labels + REGRESSION * torch.from_numpy(opinions).float()
        self.targets = mixed / (LABEL + REGRESSION)
        self.whole = [number for number, example in enumerate(examples) if example in whole]
        self.phrases = [number for number, example in enumerate(examples) if example not in whole]
        self.long = [e.text.split() for e in examples if len(e.text.split()) >= 7]
        self.short = [e.text.split() for e in examples if 2 <= len(e.text.split()) <= 8]

    def __call__(self, rng: random.Random) -> Epoch:
        numbers = COPIES * self.whole + rng.sample(self.phrases, PHRASES)
        texts = [self.make_up(rng) for _ in range(MADE_UP)]
        opinions = torch.from_numpy(self.regression(texts)).float()
        written = [rng.choice(spellings(self.examples[n])) for n in numbers]
        written += [rng.choice(spellings(Example(text, 0))) for text in texts]
        shares = [LABEL + REGRESSION] * len(numbers) + [MADE_UP_REGRESSION] * len(texts)
        return Epoch(encode(self.tokenizer, written), torch.cat([self.targets[numbers], opinions]), torch.tensor(shares))

    def make_up(self, rng: random.Random) -> str:
        kind = rng.random()
        if kind < 0.4:
            return self.join(rng)
        words = self.examples[rng.choice(self.whole)].text.split()
        if kind < 0.7:
            return " ".join(word for word in words if rng.random() < 0.75) or words[0]
        start = rng.randrange(len(words))
        end = start + rng.randrange(1, 7)
        return " ".join(words[:start] + rng.choice(self.short) + words[end:])

    def join(self, rng: random.Random) -> str:
        """Two or more long phrases; of two, mostly the beginning of one and the end of the other."""
        parts = [rng.choice(self.long) for _ in range(rng.choice([2, 2, 2, 2, 2, 2, 3, 6]))]
        if len(parts) == 2 and rng.random() < 0.7:
            first, second = parts
            parts = [first[: rng.randrange(2, len(first))], second[rng.randrange(len(second) - 1) :]]
        joined = parts[0]
        for part in parts[1:]:
            joined = joined + rng.choice(JOINTS).split() + part
        return " ".join(joined)


@torch.no_grad()
def blend(student: Student, former: Student) -> None:
    for new, old in zip(student.parameters(), former.parameters(), strict=True):
        new.lerp_(old, KEEP)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--held-out", type=int, default=0, help="sentences held out, 900 as in train_sentiment.py")
    parser.add_argument("--processes", type=int, default=1)
    args = parser.parse_args()

    torch.set_num_threads(args.processes)
    tokenizer = Tokenizer.from_file(str(args.checkpoint / "tokenizer.json"))
    train, held_out = split_sentences(read_phrases(args.data / "sst2"), args.held_out, SPLIT_SEED)
    held_rows = encode(tokenizer, [example.text for example in held_out])
    held_labels = torch.tensor([example.label for example in held_out])

    former = Ensemble([load(args.checkpoint).eval()])
    report("before", former.logits, held_rows, held_labels)

    def opinion(ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            return former(ids, mask).float()

    sample = Sentences(train, tokenizer)

    student = fit(load(args.checkpoint), sample, RECIPE, SEED, teacher=opinion)
    report("after", student, held_rows, held_labels)
    blend(student, load(args.checkpoint))
    report("blended", student, held_rows, held_labels)
    student.bert.save_pretrained(args.out)
    write_layout(args.out, student.bert.config, tokenizer)


if __name__ == "__main__":
    main()
