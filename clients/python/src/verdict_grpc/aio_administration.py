"""What administrators ask of a server, for asyncio."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Mapping, Sequence

from . import _acts as acts
from .administration_types import Forgotten, ModelReload
from .model_types import Model
from .statistics_types import VersionComparison, VersionStatistics
from .types import Input


class AsyncAdministration(ABC):
    """The acts of `Administration`, from one event loop."""

    @abstractmethod
    async def _ask(self, act: acts.Act[acts.R], timeout: float | None) -> acts.R: ...

    async def model(self, name: str, *, timeout: float | None = None) -> Model:
        """As of `Administration`."""
        return await self._ask(acts.get_model(name), timeout)

    async def model_statistics(
        self, model: str, *, version: str = "", timeout: float | None = None
    ) -> list[VersionStatistics]:
        """As of `Administration`."""
        return await self._ask(acts.statistics(model, version), timeout)

    async def compare_model(
        self, model: str, *, version: str = "", timeout: float | None = None
    ) -> list[VersionComparison]:
        """As of `Administration`."""
        return await self._ask(acts.comparison(model, version), timeout)

    async def forget(
        self, given: Input, *, model: str = "", caller: str = "", timeout: float | None = None
    ) -> Forgotten:
        """As of `Administration`."""
        return await self._ask(acts.forget(given, model, caller), timeout)

    async def reload_models(
        self, models: Sequence[str] = (), *, timeout: float = acts.LOAD_TIMEOUT
    ) -> list[ModelReload]:
        """As of `Administration`."""
        return await self._ask(acts.reload_models(models), timeout)

    async def load_model(self, model: str, *, timeout: float = acts.LOAD_TIMEOUT) -> Model:
        """As of `Administration`."""
        return await self._ask(acts.load_model(model), timeout)

    async def unload_model(self, model: str, *, timeout: float = acts.LOAD_TIMEOUT) -> Model:
        """As of `Administration`."""
        return await self._ask(acts.unload_model(model), timeout)

    async def set_traffic(
        self, model: str, traffic: Mapping[str, int], *, timeout: float | None = None
    ) -> Model:
        """As of `Administration`."""
        return await self._ask(acts.set_traffic(model, traffic), timeout)

    async def set_alias(self, model: str, alias: str, version: str, *, timeout: float | None = None) -> Model:
        """As of `Administration`."""
        return await self._ask(acts.set_alias(model, alias, version), timeout)

    async def delete_alias(self, model: str, alias: str, *, timeout: float | None = None) -> Model:
        """As of `Administration`."""
        return await self._ask(acts.delete_alias(model, alias), timeout)

    async def set_shadow(self, model: str, version: str, percent: int, *, timeout: float | None = None) -> Model:
        """As of `Administration`."""
        return await self._ask(acts.set_shadow(model, version, percent), timeout)

    async def end_shadow(self, model: str, *, timeout: float | None = None) -> Model:
        """As of `Administration`."""
        return await self._ask(acts.set_shadow(model, "", 0), timeout)

    async def set_rollback(
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
        """As of `Administration`."""
        act = acts.set_rollback(
            model,
            version,
            stable_version,
            max_error_percent,
            max_flip_percent,
            min_observations,
            window_seconds,
        )
        return await self._ask(act, timeout)

    async def delete_rollback(self, model: str, *, timeout: float | None = None) -> Model:
        """As of `Administration`."""
        return await self._ask(acts.delete_rollback(model), timeout)
