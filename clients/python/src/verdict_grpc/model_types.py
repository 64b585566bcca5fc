"""The models of a server, as it tells of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class ModelVersion:
    """A version of a model."""

    version: str
    #: `serving`, `loading`, `draining`, `failed`, `unloaded` (the next request loads it), or `unknown`.
    state: str
    #: Why it is in that state, if there is something to say.
    state_reason: str
    #: In the order of the model's output.
    labels: tuple[str, ...]
    #: The most tokens of an input that it reads.
    max_tokens: int
    #: `fp32`, `int8` or `fp16`.
    precision: str
    #: `cpu` or `cuda`.
    device: str
    #: Two servers with the same digest give the same answers. Empty if it was not loaded.
    digest: str
    #: Sessions that are ready, of those that it should have.
    ready_instances: int
    instances: int
    #: Resident memory of its session processes; 0 if it is not loaded, or the server's system does not tell.
    memory_bytes: int


@dataclass(frozen=True)
class ModelShadow:
    """A version that is asked a sample of what other versions have answered."""

    version: str
    #: The share of those inputs, in whole percent.
    percent: int


@dataclass(frozen=True)
class Rollback:
    """A candidate has lost its traffic."""

    at: datetime
    #: Which limit was passed: `errors`, `flips`, or `unknown`.
    cause: str
    #: Inputs that failed, or got other labels.
    count: int
    #: Inputs that were looked at.
    observations: int


@dataclass(frozen=True)
class RollbackRule:
    """When a candidate loses its traffic to a stable version."""

    #: The candidate.
    version: str
    stable_version: str
    #: The highest share of inputs that may fail; None: failures do not matter.
    max_error_percent: float | None
    #: The highest share of inputs that may get other labels; None: labels do not matter.
    max_flip_percent: float | None
    #: The fewest inputs that a limit is judged by.
    min_observations: int
    #: How far back inputs count.
    window_seconds: int
    #: That it happened; None: the rule is armed.
    rolled_back: Rollback | None


@dataclass(frozen=True)
class Model:
    """A model: a name and its versions."""

    name: str
    #: Whether requests that name no model go to this one.
    is_default: bool
    #: Whether it is loaded at the start of the server and stays loaded.
    is_pinned: bool
    #: Empty if no version is serving.
    serving_version: str
    #: Highest first.
    versions: tuple[ModelVersion, ...]
    #: Percent by version, as set; empty: the highest version gets all requests that name none.
    traffic: dict[str, int]
    #: Version by alias.
    aliases: dict[str, str]
    #: What runs in the shadow, if anything does.
    shadow: ModelShadow | None
    #: When a candidate loses its traffic; None: there is no rule.
    rollback: RollbackRule | None
