"""What administrators ask of a server: for each act the call, its request, and what its answer becomes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Generic, Mapping, Sequence, TypeVar

from . import _contract as contract
from . import _convert_models as convert
from ._convert import set_fields, set_input
from .administration_types import Forgotten, ModelReload
from .errors import invalid_argument
from .model_types import Model
from .statistics_types import VersionComparison, VersionStatistics
from .types import Input

R = TypeVar("R")

#: Seconds that a model may take to load, for a call that does not say.
LOAD_TIMEOUT = 600.0


@dataclass(frozen=True)
class Act(Generic[R]):
    path: str
    request: Any
    answer: Callable[[Any], R]


def _act(path: str, answer: Callable[[Any], R], **fields: object) -> Act[R]:
    request = contract.REQUESTS[path]()
    set_fields(request, **fields)
    return Act(path, request, answer)


def get_model(model: str) -> Act[Model]:
    return _act(contract.GET_MODEL, convert.to_changed_model, model=model)


def statistics(model: str, version: str) -> Act[list[VersionStatistics]]:
    return _act(contract.GET_MODEL_STATISTICS, convert.to_statistics, model=model, version=version)


def comparison(model: str, version: str) -> Act[list[VersionComparison]]:
    return _act(contract.GET_MODEL_COMPARISON, convert.to_comparisons, model=model, version=version)


def forget(given: Input, model: str, caller: str) -> Act[Forgotten]:
    act = _act(contract.FORGET, convert.to_forgotten, model=model, caller=caller)
    set_input(act.request, given)
    return act


def reload_models(models: Sequence[str]) -> Act[list[ModelReload]]:
    if isinstance(models, str):
        raise invalid_argument("models must be a sequence of names, not one str")
    act = _act(contract.RELOAD_MODELS, convert.to_reloads)
    try:
        act.request.models.extend(models)
    except (TypeError, ValueError):
        raise invalid_argument("models must be a sequence of names") from None
    return act


def load_model(model: str) -> Act[Model]:
    return _act(contract.LOAD_MODEL, convert.to_changed_model, model=model)


def unload_model(model: str) -> Act[Model]:
    return _act(contract.UNLOAD_MODEL, convert.to_changed_model, model=model)


def set_traffic(model: str, traffic: Mapping[str, int]) -> Act[Model]:
    if not isinstance(traffic, Mapping):
        raise invalid_argument("traffic must be a mapping of versions to whole percent")
    act = _act(contract.SET_TRAFFIC, convert.to_changed_model, model=model)
    for version, percent in traffic.items():
        set_fields(act.request.traffic.add(), version=version, percent=percent)
    return act


def set_alias(model: str, alias: str, version: str) -> Act[Model]:
    return _act(contract.SET_ALIAS, convert.to_changed_model, model=model, alias=alias, version=version)


def delete_alias(model: str, alias: str) -> Act[Model]:
    return _act(contract.DELETE_ALIAS, convert.to_changed_model, model=model, alias=alias)


def set_shadow(model: str, version: str, percent: int) -> Act[Model]:
    return _act(
        contract.SET_SHADOW, convert.to_changed_model, model=model, version=version, percent=percent
    )


def set_rollback(
    model: str,
    version: str,
    stable_version: str,
    max_error_percent: float | None,
    max_flip_percent: float | None,
    min_observations: int,
    window_seconds: int,
) -> Act[Model]:
    return _act(
        contract.SET_ROLLBACK,
        convert.to_changed_model,
        model=model,
        version=version,
        stable_version=stable_version,
        max_error_percent=max_error_percent,
        max_flip_percent=max_flip_percent,
        min_observations=min_observations,
        window_seconds=window_seconds,
    )


def delete_rollback(model: str) -> Act[Model]:
    return _act(contract.DELETE_ROLLBACK, convert.to_changed_model, model=model)
