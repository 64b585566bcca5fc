"""Shows the selected intent student the held-out examples too: it learns on from everything, at a low rate.

Its former self is the teacher for half of every target. The held-out accuracy that was measured before stands for the
result; after this step the held-out examples can say nothing.
"""

import argparse
from pathlib import Path

import torch
from tokenizers import Tokenizer

from banking77 import read_queries
from distil import Ensemble, load
from fit import Recipe, fit
from layout import write_layout
from train_intent import Queries
from train_sentiment import encode

SEED = 5
RECIPE = Recipe(epochs=3, learning_rate=3e-4, max_tokens=1536, average_decay=0.99, bfloat16=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--processes", type=int, default=1)
    args = parser.parse_args()

    torch.set_num_threads(args.processes)
    tokenizer = Tokenizer.from_file(str(args.checkpoint / "tokenizer.json"))
    examples, labels = read_queries(args.data / "banking77")
    rows = encode(tokenizer, [example.text for example in examples])
    sample = Queries(rows, [example.label for example in examples], len(labels), made_up=len(rows) // 4)

    former = Ensemble([load(args.checkpoint).eval()])
    student = fit(load(args.checkpoint), sample, RECIPE, SEED, teacher=former)
    student.bert.save_pretrained(args.out)
    write_layout(args.out, student.bert.config, tokenizer)


if __name__ == "__main__":
    main()
