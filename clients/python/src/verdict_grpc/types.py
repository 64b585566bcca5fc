"""What goes into calls and comes out of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Literal, TypeVar, Union

if TYPE_CHECKING:
    from .errors import VerdictError


@dataclass(frozen=True)
class Pair:
    """Two texts that are judged together: a premise and a hypothesis, a question and an answer."""

    text: str
    text_pair: str


#: What can be classified.
Input = Union[str, Pair]

T = TypeVar("T", bound=Input)

#: In which order a stream gives its results: that of the inputs, or that in which they were ready.
StreamOrder = Literal["request", "completion"]


@dataclass(frozen=True)
class ClassifyOptions:
    """How an answer is computed and shaped. What is None is left to the server."""

    #: Predictions to return, best first; 0: every label.
    top_k: int | None = None
    #: Leaves out predictions that score lower; applied before `top_k`, so that an answer may be empty.
    min_score: float | None = None
    activation: Literal["softmax", "sigmoid", "none"] | None = None
    #: What happens to an input of more tokens than the model reads.
    truncation: Literal["end", "start", "reject"] | None = None
    #: `bypass` leaves the result cache out, `refresh` computes anew and writes.
    cache: Literal["bypass", "refresh"] | None = None


@dataclass(frozen=True)
class Prediction:
    """One label and its score."""

    label: str
    score: float
    #: Position of the label in the model's output, 0-based.
    index: int


@dataclass(frozen=True)
class Timings:
    """Where the time of one input went, in milliseconds."""

    tokenize_ms: float
    queue_ms: float
    inference_ms: float
    total_ms: float
    #: Inputs that ran together; 0 if none ran for this request.
    batch_size: int


@dataclass(frozen=True)
class Classification:
    """The answer for one input."""

    #: Best first.
    predictions: tuple[Prediction, ...]
    model: str
    version: str
    #: The alias by which the request named the version; empty if it did not.
    alias: str
    #: Tokens that the model read, special tokens included.
    token_count: int
    truncated: bool
    #: `miss`, `lru`, `redis`, `coalesced`, `bypassed`, or `unknown`.
    cache: str
    timings: Timings

    @property
    def label(self) -> str | None:
        """The best label; None if `min_score` left none."""
        return self.predictions[0].label if self.predictions else None

    @property
    def score(self) -> float | None:
        """The best score; None if `min_score` left none."""
        return self.predictions[0].score if self.predictions else None


@dataclass(frozen=True)
class BatchResult:
    """What became of one input of a batch: exactly one of the two is set."""

    classification: Classification | None
    error: VerdictError | None


@dataclass(frozen=True)
class StreamResult(Generic[T]):
    """What became of one input of a stream. A failed input does not end the stream."""

    #: 0-based position of the input.
    index: int
    #: The input itself.
    item: T
    classification: Classification | None
    error: VerdictError | None
