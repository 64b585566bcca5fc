"""The second teacher of the sentiment student: a logistic regression on words and pairs of neighbouring words."""

import random
from collections.abc import Sequence

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from sst2 import Example, containers, whole_sentences

WHOLE_WEIGHT = 5
FOLDS = 4
SEED = 1


class WordPairs:
    """Whole sentences, which are what the model is judged on, weigh more than phrases."""

    def __init__(self, examples: Sequence[Example], whole: set[Example]) -> None:
        self.vectorizer = CountVectorizer(ngram_range=(1, 2), token_pattern=r"\S+", binary=True)
        features = self.vectorizer.fit_transform([example.text for example in examples]).astype(float)
        weights = [WHOLE_WEIGHT if example in whole else 1 for example in examples]
        self.regression = LogisticRegression(C=1, solver="liblinear")
        self.regression.fit(features, [example.label for example in examples], sample_weight=weights)

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """Probabilities of both labels."""
        return self.regression.predict_proba(self.vectorizer.transform(texts).astype(float))


def cross_fitted(examples: Sequence[Example], whole: set[Example], within: dict[str, set[str]]) -> np.ndarray:
    """Each example's probabilities from a regression that saw neither its sentence nor that sentence's own phrases."""
    rng = random.Random(SEED)
    fold_of = {example.text: rng.randrange(FOLDS) for example in sorted(whole)}

    def fold(text: str) -> int:
        if text in fold_of:
            return fold_of[text]
        homes = sorted(within[text] & fold_of.keys())
        return fold_of[homes[0]] if homes else len(text) % FOLDS

    folds = np.array([fold(example.text) for example in examples])
    found = np.zeros((len(examples), 2))
    for number in range(FOLDS):
        model = WordPairs([e for e, f in zip(examples, folds, strict=True) if f != number], whole)
        mine = np.flatnonzero(folds == number)
        found[mine] = model([examples[index].text for index in mine])
    return found


def teach(examples: Sequence[Example]) -> tuple[set[Example], WordPairs, np.ndarray]:
    """The whole sentences, a regression on all examples and the cross-fitted opinion on each."""
    within = containers([example.text for example in examples])
    whole = set(whole_sentences(list(examples), within))
    return whole, WordPairs(examples, whole), cross_fitted(examples, whole, within)
