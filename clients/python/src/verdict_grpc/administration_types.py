"""What a server answers to those who administer it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ForgottenVersion:
    """A version of a model whose answers for an input were removed."""

    model: str
    version: str
    digest: str


@dataclass(frozen=True)
class Forgotten:
    """What was forgotten."""

    #: Those that are loaded, or were unloaded to make room.
    versions: tuple[ForgottenVersion, ...]
    #: Answers removed from the memory of the server that replied. Other servers keep theirs: ask each of them.
    removed_from_memory: int
    #: Answers removed from Redis, which all servers share.
    removed_from_redis: int
    #: Seconds after which Redis holds none of the answers that could not be named; 0 without Redis.
    others_expire_seconds: int


@dataclass(frozen=True)
class LabelFlips:
    """Known texts of the version before, and how many of them got other labels."""

    compared: int
    flipped: int


@dataclass(frozen=True)
class WarmUp:
    """The latest texts that a new version was asked before it took over."""

    texts: int
    #: Those that it did not answer.
    failed: int
    #: Those that the version before it had answered too.
    compared: int
    #: Those of them that got other labels.
    flipped: int


@dataclass(frozen=True)
class ModelReload:
    """What became of one model in a reload."""

    model: str
    #: `loaded`, `unchanged`, `removed`, `failed`, `retired`, or `unknown`.
    outcome: str
    #: The version that answers now; empty if none does.
    version: str
    #: Why it failed; empty if it did not.
    reason: str
    #: None: nothing was loaded, or the versions cannot be compared.
    label_flips: LabelFlips | None
    #: None: it was asked no texts.
    warm_up: WarmUp | None
    #: The versions that were taken out of service, highest first.
    retired_versions: tuple[str, ...]
