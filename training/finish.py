"""Shows a selected student the held-out examples too: it learns on from everything, at a low rate.

Its former self is the teacher for half of every target. The held-out accuracy that was measured before stands for the
result; after this step the held-out examples can say nothing.
"""

import argparse
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import DistilBertForSequenceClassification

from banking77 import read_queries
from distil import Ensemble, Student
from fit import Recipe, fit
from layout import write_layout
from sst2 import read_phrases
from train_intent import Queries
from train_sentiment import JOINED, encode, phrases_of

SEED = 5
RECIPES = {
    "sentiment": Recipe(epochs=1, learning_rate=2e-4, max_tokens=2048, average_decay=0.995, bfloat16=True),
    "intent": Recipe(epochs=3, learning_rate=3e-4, max_tokens=1536, average_decay=0.99, bfloat16=True),
}


def load(checkpoint: Path) -> Student:
    bert = DistilBertForSequenceClassification.from_pretrained(checkpoint)
    bert.set_attn_implementation("eager")
    return Student(bert)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", choices=sorted(RECIPES))
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--processes", type=int, default=1)
    args = parser.parse_args()

    torch.set_num_threads(args.processes)
    tokenizer = Tokenizer.from_file(str(args.checkpoint / "tokenizer.json"))
    if args.task == "sentiment":
        sample = phrases_of(read_phrases(args.data / "sst2"), tokenizer)
        sample.made_up = JOINED
    else:
        examples, labels = read_queries(args.data / "banking77")
        rows = encode(tokenizer, [example.text for example in examples])
        sample = Queries(rows, [example.label for example in examples], len(labels), made_up=len(rows) // 4)

    former = Ensemble([load(args.checkpoint).eval()])
    student = fit(load(args.checkpoint), sample, RECIPES[args.task], SEED, teacher=former)
    student.bert.save_pretrained(args.out)
    write_layout(args.out, student.bert.config, tokenizer)


if __name__ == "__main__":
    main()
