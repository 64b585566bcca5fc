"""The three embedded models: what each learns from, and what it is judged by."""

import math
import random
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from tokenizers import Tokenizer

from banking77 import read_queries, split_stratified
from batches import Row
from fit import Epoch, Loss, Recipe, cross_entropy
from goemotions import Comment, polar_comments, read_comments, read_labels
from made_up_reviews import made_up_reviews
from rated_sentences import Rated, read_rated
from sst2 import Example, detokenize, read_phrases, split_sentences
from written_reviews import read_written

SEED = 1
HELD_OUT_SENTENCES = 900
HELD_OUT_SHARE = 0.1


class Shown(NamedTuple):
    text: str
    positive: float
    """How likely it is called positive, 0 to 1."""


class Task(Protocol):
    """`targets` have a row for each held-out text and a column for each label."""

    labels: list[str]
    problem_type: str
    vocab_size: int
    runs: list[Recipe]
    held_out: list[str]
    held_out_targets: torch.Tensor
    smoothed: bool
    """Whether int8 needs smoothing before (smoothing.py)."""

    def texts(self) -> list[str]:
        """Every training text once: the vocabulary comes from them."""
        ...

    def texts_for_calibration(self) -> list[str]:
        """Those from which int8 learns how far activations reach."""
        ...

    def sample(self, tokenizer: Tokenizer, rng: random.Random) -> Epoch:
        """What one epoch shows."""
        ...

    def loss(self) -> Loss: ...


@runtime_checkable
class TaughtTask(Task, Protocol):
    """A task that a larger model learns first."""

    opinions: dict[str, float]
    """How likely the teacher calls a text positive, 0 to 1. Not every text has one."""

    def texts_for_opinions(self) -> list[str]: ...

    def sample_for_teacher(self, tokenizer: Tokenizer, rng: random.Random) -> Epoch:
        """What one epoch shows to the teacher."""
        ...


def rows_of(tokenizer: Tokenizer, texts: list[str]) -> list[Row]:
    return [encoding.ids for encoding in tokenizer.encode_batch(texts)]


def rated(sentences: list[Rated], least: float) -> list[Shown]:
    """Those whose rating is that far from neutral: the farther, the surer."""
    return [
        Shown(text, 1 / (1 + math.exp(-2.5 * rating))) for text, rating in sentences if abs(rating) >= least
    ]


def one_hot(numbers: list[int], count: int) -> torch.Tensor:
    return torch.nn.functional.one_hot(torch.tensor(numbers), count).float()


class Sentiment:
    """SST-2's sentences and phrases, polar comments of GoEmotions, rated sentences, and reviews written or made up for this."""

    labels = ["NEGATIVE", "POSITIVE"]
    problem_type = "single_label_classification"
    vocab_size = 18_000
    smoothed = True
    runs = [
        Recipe(epochs=5, learning_rate=8e-5, frozen_layers=None),
        Recipe(epochs=5, learning_rate=8e-5, frozen_layers=0, word_dropout=0.1),
    ]
    comments, tweets, reviews = 4_000, 1_200, 3_000
    times_written = 2
    words_to_calibrate = 15
    trust = 0.7
    """How much the teacher's opinion counts beside the label."""
    words_for_opinion = 8
    """Shorter phrases are mostly clear, and there are many."""
    teacher_words, teacher_short, teacher_tweets = 18, 4_000, 600

    def __init__(self, data: Path) -> None:
        split = split_sentences(read_phrases(data / "sst2"), HELD_OUT_SENTENCES, SEED)
        self.held_out = [example.text for example in split.held_out]
        self.held_out_targets = one_hot([example.label for example in split.held_out], 2)
        self.phrases = split.train
        self.polar = polar_comments(data / "goemotions")
        self.products = rated(read_rated("amazonReviewSnippets"), 0.35)
        self.tweets_rated = rated(read_rated("tweets"), 0.8)
        self.written = read_written()
        self.opinions: dict[str, float] = {}

    def texts(self) -> list[str]:
        examples = [*self.phrases, *self.polar, *self.written, *made_up_reviews(4000, random.Random(SEED))]
        return [*(detokenize(e.text) for e in examples), *(s.text for s in (*self.products, *self.tweets_rated))]

    def texts_for_calibration(self) -> list[str]:
        """Long phrases, whose activations reach farthest: short ones are clear, and int8 decides nothing there."""
        return [e.text for e in self.phrases if len(e.text.split()) >= self.words_to_calibrate]

    def texts_for_opinions(self) -> list[str]:
        """The longer phrases. Of the texts written for this the teacher misreads one in five, more than of any others."""
        long = [e for e in self.phrases if len(e.text.split()) >= self.words_for_opinion]
        return list(dict.fromkeys(detokenize(e.text) for e in long))

    def sample(self, tokenizer: Tokenizer, rng: random.Random) -> Epoch:
        plain = [
            *self.phrases,
            *rng.sample(self.polar, self.comments),
            *self.times_written * self.written,
            *made_up_reviews(self.reviews, rng),
        ]
        return self.shown(tokenizer, rng, plain, [*self.products, *rng.sample(self.tweets_rated, self.tweets)])

    def sample_for_teacher(self, tokenizer: Tokenizer, rng: random.Random) -> Epoch:
        """The long phrases, some of the others, and everything written or rated by people."""
        long, short = [], []
        for phrase in self.phrases:
            (long if len(phrase.text.split()) >= self.teacher_words else short).append(phrase)
        plain = [*long, *rng.sample(short, self.teacher_short), *self.written]
        tweets = rng.sample(self.tweets_rated, self.teacher_tweets)
        return self.shown(tokenizer, rng, plain, [*self.products, *tweets])

    def shown(
        self, tokenizer: Tokenizer, rng: random.Random, plain: Sequence[Example], others: Sequence[Shown]
    ) -> Epoch:
        """Half of the plain texts are put back from SST-2's spelling into an ordinary one."""
        shown = list(others)
        for example in plain:
            usual = detokenize(example.text)
            text = usual if rng.random() < 0.5 else example.text
            shown.append(Shown(text, self.taught(usual, example.label)))
        positive = torch.tensor([float(each.positive) for each in shown])
        return Epoch(rows_of(tokenizer, [each.text for each in shown]), torch.stack([1 - positive, positive], 1))

    def taught(self, text: str, label: float) -> float:
        """The label, moved towards the teacher's opinion where there is one."""
        return label + self.trust * (self.opinions.get(text, label) - label)

    def loss(self) -> Loss:
        return cross_entropy


class Intent:
    """banking77."""

    problem_type = "single_label_classification"
    vocab_size = 8_000
    smoothed = False
    runs = [Recipe(epochs=5, learning_rate=4e-4, average_decay=0.97)] * 3

    def __init__(self, data: Path) -> None:
        examples, self.labels = read_queries(data / "banking77")
        split = split_stratified(examples, HELD_OUT_SHARE, SEED)
        self.train = split.train
        self.held_out = [example.text for example in split.held_out]
        self.held_out_targets = one_hot([example.label for example in split.held_out], len(self.labels))

    def texts(self) -> list[str]:
        return [example.text for example in self.train]

    def texts_for_calibration(self) -> list[str]:
        return self.texts()

    def sample(self, tokenizer: Tokenizer, rng: random.Random) -> Epoch:
        rows = rows_of(tokenizer, self.texts())
        return Epoch(rows, one_hot([example.label for example in self.train], len(self.labels)))

    def loss(self) -> Loss:
        return lambda logits, targets: cross_entropy(logits, 0.95 * targets + 0.05 / targets.shape[1])


class Emotion:
    """GoEmotions: its published training split, judged by its published dev split.

    An epoch shows all comments with a rare emotion, and a random part of the others: 60 %, or 30 % of those that are
    neutral and nothing else.
    """

    problem_type = "multi_label_classification"
    vocab_size = 10_000
    smoothed = False
    runs = [Recipe(epochs=2, learning_rate=3e-4, average_decay=0.99)]
    most_weight = 4.0
    common, common_share = 1_500, 0.6
    neutral_share = 0.3

    def __init__(self, data: Path) -> None:
        folder = data / "goemotions"
        self.labels = read_labels(folder)
        self.train, dev = (read_comments(folder / name) for name in ("train.tsv", "dev.tsv"))
        self.held_out = [comment.text for comment in dev]
        self.targets, self.held_out_targets = (self.many_hot(comments) for comments in (self.train, dev))
        self.counts = self.targets.sum(0).tolist()

    def many_hot(self, comments: list) -> torch.Tensor:
        targets = torch.zeros(len(comments), len(self.labels))
        for row, comment in enumerate(comments):
            targets[row, list(comment.labels)] = 1
        return targets

    def texts(self) -> list[str]:
        return [comment.text for comment in self.train]

    def texts_for_calibration(self) -> list[str]:
        return self.texts()

    def sample(self, tokenizer: Tokenizer, rng: random.Random) -> Epoch:
        chosen = [row for row, comment in enumerate(self.train) if rng.random() < self.share_shown(comment)]
        texts = [self.train[row].text for row in chosen]
        return Epoch(rows_of(tokenizer, texts), self.targets[chosen])

    def share_shown(self, comment: Comment) -> float:
        if comment.labels == (self.labels.index("neutral"),):
            return self.neutral_share
        rarest = min(self.counts[label] for label in comment.labels)
        return self.common_share if rarest > self.common else 1

    def loss(self) -> Loss:
        """Binary cross-entropy, in which a rare emotion weighs more: the fourth root of its odds, at most fourfold."""
        share = self.targets.mean(0)
        weight = ((1 - share) / share).pow(0.25).clamp(max=self.most_weight)
        return torch.nn.BCEWithLogitsLoss(pos_weight=weight)


TASKS: dict[str, type[Sentiment] | type[Intent] | type[Emotion]] = {"sentiment": Sentiment, "intent": Intent, "emotion": Emotion}
