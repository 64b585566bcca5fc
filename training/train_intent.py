"""Trains the intent model (banking77) and saves its PyTorch checkpoint."""

import argparse
import random
from pathlib import Path

import torch

from banking77 import read_queries, split_stratified
from distil import Ensemble, Student, TeacherJob, new_student, report, student_config, train_teachers
from fit import Epoch, Recipe, fit
from layout import write_layout
from wordpiece import train_wordpiece

SEED = 1
VOCAB_SIZE = 2500
TEACHER_SEEDS = (1,)
TEACHER = Recipe(epochs=12, learning_rate=3e-3, max_tokens=1024, average_decay=0.99)
STUDENT = Recipe(epochs=20, learning_rate=1.2e-3, max_tokens=1536, average_decay=0.99, bfloat16=True)
TRUST = 0.5


class Queries:
    """The labelled queries and, where asked for, made-up ones: two queries cut and joined, for the teacher to label."""

    def __init__(self, rows: list[list[int]], labels: list[int], num_labels: int, made_up: int) -> None:
        self.rows, self.made_up = rows, made_up
        self.targets = torch.nn.functional.one_hot(torch.tensor(labels), num_labels).float()

    def __call__(self, rng: random.Random) -> Epoch:
        extra = [self.join(rng) for _ in range(self.made_up)]
        targets = torch.cat([self.targets, torch.zeros(len(extra), self.targets.shape[1])])
        trust = torch.cat([torch.full((len(self.rows),), TRUST), torch.zeros(len(extra))])
        return Epoch(self.rows + extra, targets, trust)

    def join(self, rng: random.Random) -> list[int]:
        first, second = rng.choice(self.rows), rng.choice(self.rows)
        return first[: rng.randrange(1, len(first))] + second[rng.randrange(1, len(second)) :]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, default=Path("build/intent"))
    parser.add_argument("--held-out", type=float, default=0.1, help="share held out; 0 trains on everything")
    parser.add_argument("--processes", type=int, default=1)
    args = parser.parse_args()

    torch.set_num_threads(args.processes)
    examples, labels = read_queries(args.data / "banking77")
    train, held_out = split_stratified(examples, args.held_out, SEED)
    tokenizer = train_wordpiece([example.text for example in train], VOCAB_SIZE)
    rows = [e.ids for e in tokenizer.encode_batch([example.text for example in train])]
    held_rows = [e.ids for e in tokenizer.encode_batch([example.text for example in held_out])]
    held_labels = torch.tensor([example.label for example in held_out])
    vocab_size = tokenizer.get_vocab_size()
    queries = Queries(rows, [example.label for example in train], len(labels), made_up=0)

    jobs = [TeacherJob(seed, TEACHER, vocab_size, len(labels), queries) for seed in TEACHER_SEEDS]
    ensemble = Ensemble(train_teachers(jobs, args.processes))
    report("teacher", ensemble.logits, held_rows, held_labels)

    torch.manual_seed(SEED)
    student = new_student(
        student_config(vocab_size, labels, layers=2, dim=192, dropout=0.2),
        word_vectors=ensemble.teachers[0].embedding.weight,
    )
    queries.made_up = len(rows) // 4

    def save(epoch: int, model: Student) -> None:
        if epoch % 5 == 4:
            report(f"student {epoch + 1}", model, held_rows, held_labels)
            model.bert.save_pretrained(args.out)
            write_layout(args.out, model.bert.config, tokenizer)

    fit(student, queries, STUDENT, SEED, teacher=ensemble, after_epoch=save)


if __name__ == "__main__":
    main()
