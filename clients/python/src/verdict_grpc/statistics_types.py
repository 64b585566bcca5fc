"""What the versions of a model have done, and how their answers differ."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class CacheStatistics:
    """Answered inputs by where their answers came from."""

    miss: int
    lru: int
    redis: int
    coalesced: int
    bypassed: int


@dataclass(frozen=True)
class StageTime:
    """The time of many inputs in one stage."""

    inputs: int
    #: Milliseconds, of all of them together.
    total_ms: float


@dataclass(frozen=True)
class StageStatistics:
    """Where the time of inputs went."""

    tokenize: StageTime
    queue: StageTime
    inference: StageTime
    postprocess: StageTime
    #: From an input's arrival to its answer.
    total: StageTime


@dataclass(frozen=True)
class BatchStatistics:
    """The batches that ran."""

    batches: int
    inputs: int
    tokens: int
    padded_tokens: int
    run_ms: float
    #: Batches by the most inputs in them, in rising order: above the size before, and up to this one.
    sizes: dict[int, int]


@dataclass(frozen=True)
class VersionStatistics:
    """What one version of a model has done since it was first loaded. Counts only grow while it is there."""

    version: str
    #: When counting began.
    since: datetime | None
    #: When an input last ended; None: none has.
    last_used: datetime | None
    answered: int
    #: Without those that were cancelled.
    failed: int
    cancelled: int
    #: Of the inputs that were answered.
    tokens: int
    #: Failed inputs by code.
    failures: dict[str, int]
    cache: CacheStatistics
    stages: StageStatistics
    batches: BatchStatistics
    #: Resident memory of its session processes; 0 if the server's system does not tell.
    memory_bytes: int


@dataclass(frozen=True)
class LabelComparison:
    """What became of one label. Shifts are differences of its probability, without the sign."""

    label: str
    #: Inputs for which it holds by `version`.
    held: int
    candidate_held: int
    #: Inputs for which it holds by `version` and not by the candidate.
    flipped_from: int
    #: Inputs for which it holds by the candidate and not by `version`.
    flipped_to: int
    mean_shift: float
    largest_shift: float


@dataclass(frozen=True)
class FlippedLabel:
    """How often one label became another."""

    from_label: str
    to_label: str
    count: int


@dataclass(frozen=True)
class VersionComparison:
    """How the answers of a candidate differ from those of another version to the same inputs."""

    #: The version that the candidate is compared with.
    version: str
    candidate_version: str
    #: When the counts began.
    since: datetime | None
    #: Why the versions cannot be compared; empty if they can.
    not_comparable: str
    compared: int
    #: Inputs that the one that was asked second could not answer, through no fault of the load.
    failed: int
    #: Inputs that were not compared, since the server was busy or the version was away.
    dropped: int
    #: Compared inputs for which other labels hold.
    flips: int
    #: Mean over the inputs of the largest difference of a label's probability; with a regression, of the value.
    mean_shift: float
    largest_shift: float
    #: Median of what the latest inputs took to compute, without the wait; 0: none was computed.
    median_ms: float
    candidate_median_ms: float
    #: Those with the most flips first, at most 256.
    labels: tuple[LabelComparison, ...]
    labels_left_out: int
    #: Labels that only one of the versions has.
    labels_unshared: int
    #: Single-label models: from which label to which, most frequent first, at most 256.
    flipped_labels: tuple[FlippedLabel, ...]
    flips_left_out: int
