"""What administrators ask of a server, for threads."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Mapping, Sequence

from . import _acts as acts
from .administration_types import Forgotten, ModelReload
from .model_types import Model
from .statistics_types import VersionComparison, VersionStatistics
from .types import Input


class Administration(ABC):
    """Every act but `model` and `model_statistics` needs the scope `admin`. A server without keys and tokens answers callers on its own machine."""

    @abstractmethod
    def _ask(self, act: acts.Act[acts.R], timeout: float | None) -> acts.R: ...

    def model(self, name: str, *, timeout: float | None = None) -> Model:
        """One model. Raises NOT_FOUND if there is none of that name."""
        return self._ask(acts.get_model(name), timeout)

    def model_statistics(
        self, model: str, *, version: str = "", timeout: float | None = None
    ) -> list[VersionStatistics]:
        """What the versions of a model have done on the server, highest first.

        `version`: a number or an alias; empty: all versions. Raises NOT_FOUND if there is no such model, or nothing is
        counted for the version.
        """
        return self._ask(acts.statistics(model, version), timeout)

    def compare_model(
        self, model: str, *, version: str = "", timeout: float | None = None
    ) -> list[VersionComparison]:
        """How the answers of versions differ: of a shadow, and of a candidate with a rollback rule.

        `version`: the candidate; empty: all that are compared.
        """
        return self._ask(acts.comparison(model, version), timeout)

    def forget(
        self, given: Input, *, model: str = "", caller: str = "", timeout: float | None = None
    ) -> Forgotten:
        """Removes the answers for an input from the server's cache: from its memory and from Redis.

        `model`: empty: every model that the caller may use. `caller`: one more caller with a cache of its own, beside
        those that the server knows: `key:search`, `jwt:alice`. Raises UNAVAILABLE if Redis does not confirm.
        """
        return self._ask(acts.forget(given, model, caller), timeout)

    def reload_models(
        self, models: Sequence[str] = (), *, timeout: float = acts.LOAD_TIMEOUT
    ) -> list[ModelReload]:
        """Has the server load what has changed in its models folder.

        `models`: names; empty: all models. Takes seconds to minutes for each model; the server goes on if this gives
        up. What fails is in the answer and leaves the model as it was.
        """
        return self._ask(acts.reload_models(models), timeout)

    def load_model(self, model: str, *, timeout: float = acts.LOAD_TIMEOUT) -> Model:
        """Loads a model, so that the first request for it need not wait. The server goes on if this gives up.

        Raises NOT_FOUND, RESOURCE_EXHAUSTED if pinned models leave no room, and UNAVAILABLE if it could not be loaded.
        """
        return self._ask(acts.load_model(model), timeout)

    def unload_model(self, model: str, *, timeout: float = acts.LOAD_TIMEOUT) -> Model:
        """Unloads a model: it answers what it holds, and the next request loads it again.

        Raises NOT_FOUND, and INVALID_ARGUMENT for one that is pinned.
        """
        return self._ask(acts.unload_model(model), timeout)

    def set_traffic(
        self, model: str, traffic: Mapping[str, int], *, timeout: float | None = None
    ) -> Model:
        """Divides the requests for a model that name no version: `{"1": 90, "2": 10}`, whole percent, 100 together.

        A change moves as few callers as it can. Empty: the highest version gets all requests. Raises NOT_FOUND for a
        version that is not loaded.
        """
        return self._ask(acts.set_traffic(model, traffic), timeout)

    def set_alias(self, model: str, alias: str, version: str, *, timeout: float | None = None) -> Model:
        """Gives a version another name, or moves a name to another version."""
        return self._ask(acts.set_alias(model, alias, version), timeout)

    def delete_alias(self, model: str, alias: str, *, timeout: float | None = None) -> Model:
        """Takes a name away. Raises NOT_FOUND if there is no such alias."""
        return self._ask(acts.delete_alias(model, alias), timeout)

    def set_shadow(self, model: str, version: str, percent: int, *, timeout: float | None = None) -> Model:
        """Has a version asked a sample of what other versions have answered, to compare its answers with theirs.

        `percent`: whole, from 1 to 100. Callers get nothing of it: see `compare_model`.
        """
        return self._ask(acts.set_shadow(model, version, percent), timeout)

    def end_shadow(self, model: str, *, timeout: float | None = None) -> Model:
        """Ends the shadow of a model."""
        return self._ask(acts.set_shadow(model, "", 0), timeout)

    def set_rollback(
        self,
        model: str,
        version: str,
        *,
        stable_version: str,
        max_error_percent: float | None = None,
        max_flip_percent: float | None = None,
        min_observations: int = 0,
        window_seconds: int = 0,
        timeout: float | None = None,
    ) -> Model:
        """Sets when a candidate, `version`, loses its traffic to a stable version. One of the two limits must be set.

        0 for the last two: 50 observations, 300 seconds.
        """
        act = acts.set_rollback(
            model,
            version,
            stable_version,
            max_error_percent,
            max_flip_percent,
            min_observations,
            window_seconds,
        )
        return self._ask(act, timeout)

    def delete_rollback(self, model: str, *, timeout: float | None = None) -> Model:
        """Takes the rollback rule of a model away. Raises NOT_FOUND if there is none."""
        return self._ask(acts.delete_rollback(model), timeout)
