"""From the contract's messages about models to the types of this client."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime, timezone
from typing import Any, TypeVar

from .administration_types import Forgotten, ForgottenVersion, LabelFlips, ModelReload, WarmUp
from .errors import incomplete_response
from .model_types import Model, ModelShadow, ModelVersion, Rollback, RollbackRule
from .statistics_types import (
    BatchStatistics,
    CacheStatistics,
    FlippedLabel,
    LabelComparison,
    StageStatistics,
    StageTime,
    VersionComparison,
    VersionStatistics,
)

R = TypeVar("R")


def to_changed_model(reply: Any) -> Model:
    """The one model of a reply."""
    if not reply.HasField("model"):
        raise incomplete_response()
    return to_model(reply.model)


def to_models(reply: Any) -> list[Model]:
    return [to_model(model) for model in reply.models]


def to_model(message: Any) -> Model:
    return Model(
        name=message.name,
        is_default=message.is_default,
        is_pinned=message.is_pinned,
        serving_version=message.serving_version,
        versions=tuple(_to_version(version) for version in message.versions),
        traffic={share.version: share.percent for share in message.traffic},
        aliases={alias.alias: alias.version for alias in message.aliases},
        shadow=_alike(ModelShadow, message.shadow) if message.HasField("shadow") else None,
        rollback=_to_rule(message.rollback) if message.HasField("rollback") else None,
    )


def to_reloads(reply: Any) -> list[ModelReload]:
    return [
        _alike(
            ModelReload,
            reload,
            outcome=_enum(reload, "outcome", "RELOAD_OUTCOME_"),
            label_flips=_alike(LabelFlips, reload.label_flips) if reload.HasField("label_flips") else None,
            warm_up=_alike(WarmUp, reload.warm_up) if reload.HasField("warm_up") else None,
            retired_versions=tuple(reload.retired_versions),
        )
        for reload in reply.reloads
    ]


def to_forgotten(reply: Any) -> Forgotten:
    versions = tuple(_alike(ForgottenVersion, version) for version in reply.versions)
    return _alike(Forgotten, reply, versions=versions)


def to_statistics(reply: Any) -> list[VersionStatistics]:
    return [
        _alike(
            VersionStatistics,
            version,
            since=_time(version, "since"),
            last_used=_time(version, "last_used"),
            failures={failure.code: failure.inputs for failure in version.failures},
            cache=_alike(CacheStatistics, version.cache),
            stages=StageStatistics(
                **{
                    stage.name: _alike(StageTime, getattr(version.stages, stage.name))
                    for stage in fields(StageStatistics)
                }
            ),
            batches=_alike(
                BatchStatistics,
                version.batches,
                sizes={size.at_most: size.batches for size in version.batches.sizes},
            ),
        )
        for version in reply.versions
    ]


def to_comparisons(reply: Any) -> list[VersionComparison]:
    return [
        _alike(
            VersionComparison,
            comparison,
            since=_time(comparison, "since"),
            labels=tuple(_alike(LabelComparison, label) for label in comparison.labels),
            flipped_labels=tuple(
                FlippedLabel(getattr(flipped, "from"), flipped.to, flipped.count)
                for flipped in comparison.flipped_labels
            ),
        )
        for comparison in reply.comparisons
    ]


def _to_version(message: Any) -> ModelVersion:
    return _alike(
        ModelVersion,
        message,
        state=_enum(message, "state", "MODEL_STATE_"),
        labels=tuple(message.labels),
        max_tokens=message.limits.max_tokens,
    )


def _to_rule(message: Any) -> RollbackRule:
    def limit(name: str) -> float | None:
        return getattr(message, name) if message.HasField(name) else None

    return _alike(
        RollbackRule,
        message,
        max_error_percent=limit("max_error_percent"),
        max_flip_percent=limit("max_flip_percent"),
        rolled_back=_to_rollback(message.rolled_back) if message.HasField("rolled_back") else None,
    )


def _to_rollback(message: Any) -> Rollback:
    at = _time(message, "at")
    if at is None:
        raise incomplete_response()
    return _alike(Rollback, message, at=at, cause=_enum(message, "cause", "ROLLBACK_CAUSE_"))


def _alike(kind: type[R], message: Any, **others: Any) -> R:
    """A dataclass whose fields are those of the message, but for the others."""
    names = [field.name for field in fields(kind) if field.name not in others]  # type: ignore[arg-type]
    return kind(**{name: getattr(message, name) for name in names}, **others)


def _enum(message: Any, field: str, prefix: str) -> str:
    """`unknown` stands for a value that this client is too old to know."""
    values = message.DESCRIPTOR.fields_by_name[field].enum_type.values_by_number
    value = values.get(getattr(message, field))
    name = "" if value is None else value.name.removeprefix(prefix).lower()
    return "unknown" if name in ("", "unspecified") else name


def _time(message: Any, field: str) -> datetime | None:
    if not message.HasField(field):
        return None
    try:
        # What it holds may be outside the years that Python knows.
        found: datetime = getattr(message, field).ToDatetime(timezone.utc)
        return found
    except (ValueError, OverflowError):
        raise incomplete_response() from None
