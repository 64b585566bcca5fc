"""Trains the sentiment model (SST-2) and saves its PyTorch checkpoint."""

import argparse
import random
from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer

from distil import Ensemble, Student, TeacherJob, new_student, report, student_config, train_teachers
from fit import Epoch, Recipe, fit
from layout import write_layout
from sst2 import LABELS, Example, detokenize, read_phrases, split_sentences
from wordpiece import train_wordpiece

SEED = 1
VOCAB_SIZE = 9000
TEACHER_SEEDS = (3,)
TEACHER = Recipe(epochs=3, learning_rate=1.5e-3, max_tokens=2048, average_decay=0.99)
STUDENT = Recipe(epochs=5, learning_rate=8e-4, max_tokens=2048, average_decay=0.995, bfloat16=True)
TRUST = 0.5
JOINED = 2_000
JOINTS = [".", ",", "and", "but", ";", "...", "!", ""]


class Phrases:
    """Every labelled phrase, each time as the corpus spells it or as people write it.

    Where asked for, made-up texts join whole sentences or long phrases; only the teacher labels those. They also show
    the student longer texts than the corpus holds.
    """

    def __init__(self, spellings: list[list[list[int]]], labels: list[int], joints: list[list[int]]) -> None:
        self.spellings, self.joints, self.made_up = spellings, joints, 0
        self.targets = torch.nn.functional.one_hot(torch.tensor(labels), len(LABELS)).float()
        self.long = [number for number, rows in enumerate(spellings) if len(rows[0]) >= 10]

    def __call__(self, rng: random.Random) -> Epoch:
        rows = [rng.choice(spelling) for spelling in self.spellings]
        extra = [self.join(rng) for _ in range(self.made_up)]
        targets = torch.cat([self.targets, torch.zeros(len(extra), len(LABELS))])
        trust = torch.cat([torch.full((len(rows),), TRUST), torch.zeros(len(extra))])
        return Epoch(rows + extra, targets, trust)

    def join(self, rng: random.Random) -> list[int]:
        parts = [rng.choice(self.spellings[rng.choice(self.long)]) for _ in range(rng.choice([2, 2, 2, 3, 6]))]
        body = [part[1:-1] for part in parts]
        if len(body) == 2 and rng.random() < 0.6:
            body = [body[0][: rng.randrange(2, len(body[0]))], body[1][rng.randrange(len(body[1]) - 1) :]]
        joined = body[0]
        for part in body[1:]:
            joined = joined + rng.choice(self.joints) + part
        return parts[0][:1] + joined + parts[0][-1:]


def spellings(example: Example) -> list[str]:
    """As in the corpus; as people write it; without, or with, a final full stop."""
    plain = detokenize(example.text)
    return [example.text, example.text, plain, plain.removesuffix(".") if plain.endswith(".") else f"{plain}."]


def encode(tokenizer: Tokenizer, texts: Sequence[str]) -> list[list[int]]:
    return [encoding.ids for encoding in tokenizer.encode_batch(list(texts))]


def phrases_of(examples: list[Example], tokenizer: Tokenizer) -> Phrases:
    variants = [encode(tokenizer, texts) for texts in zip(*map(spellings, examples), strict=True)]
    joints = [tokenizer.encode(joint, add_special_tokens=False).ids for joint in JOINTS]
    return Phrases(list(map(list, zip(*variants, strict=True))), [e.label for e in examples], joints)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, default=Path("build/sentiment"))
    parser.add_argument("--held-out", type=int, default=900, help="sentences held out; 0 trains on everything")
    parser.add_argument("--processes", type=int, default=1)
    args = parser.parse_args()

    torch.set_num_threads(args.processes)
    train, held_out = split_sentences(read_phrases(args.data / "sst2"), args.held_out, SEED)
    whole = [example.text for example in train if len(example.text.split()) >= 5]
    tokenizer = train_wordpiece(whole, VOCAB_SIZE)

    phrases = phrases_of(train, tokenizer)
    held_rows = encode(tokenizer, [example.text for example in held_out])
    held_labels = torch.tensor([example.label for example in held_out])
    vocab_size = tokenizer.get_vocab_size()

    jobs = [TeacherJob(seed, TEACHER, vocab_size, len(LABELS), phrases) for seed in TEACHER_SEEDS]
    ensemble = Ensemble(train_teachers(jobs, args.processes))
    report("teacher", ensemble.logits, held_rows, held_labels)

    torch.manual_seed(SEED)
    student = new_student(
        student_config(vocab_size, LABELS, layers=2, dim=192, dropout=0.2),
        word_vectors=ensemble.teachers[0].embedding.weight,
    )
    phrases.made_up = JOINED

    def save(epoch: int, model: Student) -> None:
        report(f"student {epoch + 1}", model, held_rows, held_labels)
        model.bert.save_pretrained(args.out)
        write_layout(args.out, model.bert.config, tokenizer)

    fit(student, phrases, STUDENT, SEED, teacher=ensemble, after_epoch=save)


if __name__ == "__main__":
    main()
