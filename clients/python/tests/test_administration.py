"""What administrators ask, against a real server with two versions of `topics`. The second one likes food more."""

import os
import shutil
import time
import unittest
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Callable

from verdict_grpc import (
    AsyncVerdictClient,
    LabelFlips,
    Model,
    ModelReload,
    ModelShadow,
    Pair,
    RetryPolicy,
    RollbackRule,
    VerdictClient,
    VerdictError,
    VersionComparison,
)
from verdict_grpc import _contract as contract
from verdict_grpc import _convert_models as convert

ADDRESS = os.environ["VERDICT_ADMINISTERED_ADDRESS"]
MODELS = Path(os.environ["VERDICT_ADMINISTERED_MODELS"])
ADMIN_KEY = os.environ["VERDICT_ADMIN_KEY"]
API_KEY = os.environ["VERDICT_TEST_KEY"]


def administrator() -> VerdictClient:
    return VerdictClient(ADDRESS, api_key=ADMIN_KEY, retry=RetryPolicy(max_attempts=1))


class Administration(unittest.TestCase):
    def setUp(self) -> None:
        self.client = administrator()
        self.addCleanup(self.client.close)

    def test_needs_the_scope(self) -> None:
        with VerdictClient(ADDRESS, api_key=API_KEY) as client:
            client.classify("the coach")
            acts: list[Callable[[], object]] = [
                lambda: client.forget("the coach"),
                lambda: client.reload_models(),
                lambda: client.load_model("pairs"),
                lambda: client.unload_model("pairs"),
                lambda: client.set_traffic("topics", {"1": 100}),
                lambda: client.set_alias("topics", "champion", "1"),
                lambda: client.delete_alias("topics", "champion"),
                lambda: client.set_shadow("topics", "2", 1),
                lambda: client.end_shadow("topics"),
                lambda: client.set_rollback("topics", "2", stable_version="1", max_error_percent=1),
                lambda: client.delete_rollback("topics"),
                lambda: client.compare_model("topics"),
            ]
            for act in acts:
                with self.assertRaises(VerdictError) as raised:
                    act()
                self.assertEqual(raised.exception.code, "PERMISSION_DENIED")

    def test_forgets(self) -> None:
        for given in ("a text to forget", Pair("a text", "to forget")):
            self.client.classify(given, version="1")
            found = self.client.forget(given, model="topics")
            self.assertEqual(found.removed_from_memory, 1)
            self.assertEqual({version.model for version in found.versions}, {"topics"})
            self.assertRegex(found.versions[0].digest, "^sha256:")
            self.assertEqual((found.removed_from_redis, found.others_expire_seconds), (0, 0))
            self.assertEqual(self.client.forget(given, model="topics").removed_from_memory, 0)

    def test_divides_the_traffic_and_names_versions(self) -> None:
        changed = self.client.set_traffic("topics", {"1": 90, "2": 10})
        self.addCleanup(lambda: self.client.set_traffic("topics", {"1": 100}))
        self.assertEqual(changed.traffic, {"1": 90, "2": 10})
        named = self.client.set_alias("topics", "challenger", "2")
        self.assertEqual(named.aliases, {"challenger": "2"})
        answer = self.client.classify("the coach", version="challenger")
        self.assertEqual((answer.version, answer.alias), ("2", "challenger"))
        self.assertEqual(self.client.model("topics"), named)
        self.assertEqual(self.client.delete_alias("topics", "challenger").aliases, {})
        with self.assertRaises(VerdictError) as raised:
            self.client.set_traffic("topics", {"1": 90, "2": 5})
        self.assertEqual(raised.exception.code, "INVALID_ARGUMENT")
        self.assertIn("traffic", raised.exception.violations[0].field)

    def test_loads_and_unloads(self) -> None:
        loaded = self.client.load_model("pairs")
        self.assertEqual([version.state for version in loaded.versions], ["serving"])
        self.assertGreater(self.measured("pairs"), 0)
        unloaded = self.client.unload_model("pairs")
        self.assertEqual([version.state for version in unloaded.versions], ["unloaded"])
        with self.assertRaises(VerdictError) as raised:
            self.client.unload_model("topics")
        self.assertEqual(raised.exception.code, "INVALID_ARGUMENT")

    def measured(self, model: str) -> int:
        """The memory of its only version, once the server has measured it: that is soon after it serves."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if (found := self.client.model(model).versions[0].memory_bytes) > 0:
                return found
            time.sleep(0.02)
        raise AssertionError("the memory was never measured")

    def test_tells_of_models(self) -> None:
        model = self.client.model("topics")
        self.assertIn(model, self.client.models())
        self.assertTrue(model.is_default and model.is_pinned)
        version = model.versions[-1]
        self.assertEqual((version.version, version.precision, version.device), ("1", "fp32", "cpu"))
        self.assertEqual(version.labels[0], "sports")
        self.assertEqual((version.ready_instances, version.instances), (1, 1))
        with self.assertRaises(VerdictError) as raised:
            self.client.model("no-such-model")
        self.assertEqual(raised.exception.code, "NOT_FOUND")

    def test_counts_what_a_version_has_done(self) -> None:
        (before,) = self.client.model_statistics("topics", version="1")
        text = f"a text that nobody has asked {time.time_ns()}"
        for _ in range(3):
            self.client.classify(text, version="1")
        (after,) = self.client.model_statistics("topics", version="1")
        self.assertEqual(after.answered - before.answered, 3)
        self.assertEqual(after.cache.miss - before.cache.miss, 1)
        self.assertEqual(after.cache.lru - before.cache.lru, 2)
        self.assertEqual(after.stages.total.inputs - before.stages.total.inputs, 3)
        self.assertEqual(after.stages.tokenize.inputs - before.stages.tokenize.inputs, 1)
        self.assertEqual(after.batches.sizes[1] - before.batches.sizes.get(1, 0), 1)
        self.assertGreater(after.batches.run_ms, before.batches.run_ms)
        self.assertEqual(after.since, before.since)
        assert after.since is not None and after.last_used is not None
        self.assertLessEqual(after.since, after.last_used)
        versions = [version.version for version in self.client.model_statistics("topics")]
        self.assertEqual(versions[-2:], ["2", "1"])

    def test_compares_versions(self) -> None:
        self.client.set_traffic("topics", {"1": 100})
        shadowed = self.client.set_shadow("topics", "2", 100)
        self.assertEqual(shadowed.shadow, ModelShadow("2", 100))
        words = ("team", "match", "law", "coach", "phone", "vote", "goal", "chip")
        texts = [f"the {word} and the {other} {len(word)}" for word in words for other in words]
        for text in texts:
            self.client.classify(text)
        found = self.compared(len(texts))
        self.assertEqual((found.version, found.candidate_version, found.not_comparable), ("1", "2", ""))
        food = found.labels[0]
        self.assertEqual((food.label, food.flipped_from, food.flipped_to), ("food", 0, found.flips))
        self.assertGreater(found.flips, 0)
        self.assertEqual(found.largest_shift, food.largest_shift)
        assert found.since is not None
        self.assertEqual(found.since.tzinfo, timezone.utc)
        self.assertIsNone(self.client.end_shadow("topics").shadow)
        self.assertEqual(self.client.compare_model("topics"), [])

    def compared(self, inputs: int) -> VersionComparison:
        """The comparison of the shadow, once it has seen the inputs. Callers do not wait for a shadow."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            for found in self.client.compare_model("topics", version="2"):
                if found.compared + found.failed + found.dropped >= inputs:
                    return found
            time.sleep(0.02)
        raise AssertionError("the shadow has compared nothing")

    def test_sets_a_rollback_rule(self) -> None:
        changed = self.client.set_rollback(
            "topics", "2", stable_version="1", max_error_percent=0.5, min_observations=100
        )
        rule = RollbackRule("2", "1", 0.5, None, 100, 300, None)
        self.assertEqual(changed.rollback, rule)
        self.assertIsNone(self.client.delete_rollback("topics").rollback)
        with self.assertRaises(VerdictError) as raised:
            self.client.set_rollback("topics", "2", stable_version="1")
        self.assertEqual(raised.exception.code, "INVALID_ARGUMENT")

    def test_reloads(self) -> None:
        (unchanged,) = self.client.reload_models(["topics"])
        self.assertEqual((unchanged.outcome, unchanged.label_flips), ("unchanged", None))
        shutil.copytree(MODELS / "topics/1", MODELS / ".staged")
        (MODELS / ".staged").rename(MODELS / "topics/3")
        loaded = self.reload_of("topics")
        self.assertEqual((loaded.outcome, loaded.reason), ("loaded", ""))
        assert loaded.label_flips is not None
        self.assertGreater(loaded.label_flips.compared, 0)
        (MODELS / "topics/3").rename(MODELS / f".withdrawn-{time.time_ns()}")
        retired = self.reload_of("topics")
        self.assertEqual((retired.outcome, retired.retired_versions), ("retired", ("3",)))

    def reload_of(self, model: str) -> ModelReload:
        (found,) = (reload for reload in self.client.reload_models() if reload.model == model)
        return found

    def test_arguments_are_checked_and_not_quoted(self) -> None:
        calls: list[tuple[str, Callable[[], object]]] = [
            ("version", lambda: self.client.set_alias("topics", "a", 2)),  # type: ignore[arg-type]
            ("percent", lambda: self.client.set_traffic("topics", {"1": -1})),
            ("percent", lambda: self.client.set_traffic("topics", {"1": 0.5})),  # type: ignore[dict-item]
            ("percent", lambda: self.client.set_shadow("topics", "2", 2**32)),
            ("traffic", lambda: self.client.set_traffic("topics", [("1", 100)])),  # type: ignore[arg-type]
            ("models", lambda: self.client.reload_models("secret")),
            ("models", lambda: self.client.reload_models([1])),  # type: ignore[list-item]
            ("max_error_percent", self.with_wrong_limit),
            ("caller", lambda: self.client.forget("a", caller="secret\ud800")),
            ("str", lambda: self.client.forget(b"secret")),  # type: ignore[arg-type]
            ("timeout", lambda: self.client.load_model("topics", timeout=0)),
            ("version", lambda: self.client.classify("secret", version=2)),  # type: ignore[arg-type]
            ("inputs", lambda: self.client.classify_batch("secret")),
            ("inputs", lambda: self.client.classify_stream("secret")),
        ]
        for field, call in calls:
            with self.assertRaises(VerdictError) as raised:
                call()
            self.assertEqual(raised.exception.reason, "CLIENT_ARGUMENT")
            self.assertIn(field, raised.exception.message)
            self.assertNotIn("secret", str(raised.exception))

    def with_wrong_limit(self) -> Model:
        return self.client.set_rollback("topics", "2", stable_version="1", max_error_percent="1")  # type: ignore[arg-type]


class Asyncio(unittest.IsolatedAsyncioTestCase):
    """The same acts. What they answer is converted by the same code."""

    async def test_acts(self) -> None:
        async with AsyncVerdictClient(ADDRESS, api_key=ADMIN_KEY) as client:
            await client.classify("a text to forget too")
            self.assertEqual((await client.forget("a text to forget too")).removed_from_memory, 1)
            self.assertEqual((await client.set_traffic("topics", {"1": 100})).traffic, {"1": 100})
            self.assertEqual((await client.set_alias("topics", "async", "1")).aliases["async"], "1")
            self.assertNotIn("async", (await client.delete_alias("topics", "async")).aliases)
            self.assertEqual((await client.load_model("topics")).name, "topics")
            self.assertEqual((await client.unload_model("pairs")).name, "pairs")
            self.assertEqual((await client.set_shadow("topics", "2", 50)).shadow, ModelShadow("2", 50))
            self.assertIsNone((await client.end_shadow("topics")).shadow)
            ruled = await client.set_rollback("topics", "2", stable_version="1", max_flip_percent=5)
            self.assertEqual(ruled.rollback, RollbackRule("2", "1", None, 5, 50, 300, None))
            self.assertIsNone((await client.delete_rollback("topics")).rollback)
            self.assertEqual(await client.compare_model("topics"), [])
            self.assertGreater((await client.model_statistics("topics", version="1"))[0].answered, 0)
            self.assertEqual((await client.model("topics")).name, "topics")
            self.assertIn("topics", [reload.model for reload in await client.reload_models()])

    async def test_needs_the_scope(self) -> None:
        async with AsyncVerdictClient(ADDRESS, api_key=API_KEY) as client:
            with self.assertRaises(VerdictError) as raised:
                await client.forget("a")
        self.assertEqual(raised.exception.code, "PERMISSION_DENIED")


class Answers(unittest.TestCase):
    """Answers that no server of today gives."""

    def reply(self, path: str, **fields: Any) -> Any:
        return contract.RESPONSES[path](**fields)

    def test_a_changed_model_is_missing(self) -> None:
        with self.assertRaises(VerdictError) as raised:
            convert.to_changed_model(self.reply(contract.SET_TRAFFIC))
        self.assertEqual(raised.exception.reason, "INCOMPLETE_RESPONSE")

    def test_a_time_is_outside_the_calendar(self) -> None:
        for seconds in (2**62, -(2**62)):
            reply = self.reply(contract.GET_MODEL_STATISTICS, versions=[{"since": {"seconds": seconds}}])
            with self.assertRaises(VerdictError) as raised:
                convert.to_statistics(reply)
            self.assertEqual(raised.exception.reason, "INCOMPLETE_RESPONSE")

    def test_a_value_is_newer_than_the_client(self) -> None:
        reply = self.reply(contract.RELOAD_MODELS, reloads=[{"outcome": 99}, {"outcome": 0}, {"outcome": 1}])
        self.assertEqual(
            [reload.outcome for reload in convert.to_reloads(reply)], ["unknown", "unknown", "loaded"]
        )

    def test_a_rollback_happened(self) -> None:
        rolled_back = {"at": {"seconds": 60}, "cause": 2, "count": 7, "observations": 90}
        rule = {"version": "2", "stable_version": "1", "max_flip_percent": 5, "rolled_back": rolled_back}
        model = convert.to_changed_model(self.reply(contract.GET_MODEL, model={"rollback": rule}))
        assert model.rollback is not None and model.rollback.rolled_back is not None
        found = model.rollback.rolled_back
        self.assertEqual((found.cause, found.count, found.observations), ("flips", 7, 90))
        self.assertEqual(found.at, datetime(1970, 1, 1, 0, 1, tzinfo=timezone.utc))

    def test_labels_flipped(self) -> None:
        flipped = {"from": "a", "to": "b", "count": 3}
        reply = self.reply(contract.GET_MODEL_COMPARISON, comparisons=[{"flipped_labels": [flipped]}])
        (found,) = convert.to_comparisons(reply)
        (label,) = found.flipped_labels
        self.assertEqual((label.from_label, label.to_label, label.count), ("a", "b", 3))

    def test_a_reload_warmed_up(self) -> None:
        warm_up = {"texts": 4, "failed": 1, "compared": 3, "flipped": 2}
        flips = {"compared": 9, "flipped": 8}
        reload_ = {"warm_up": warm_up, "label_flips": flips}
        (found,) = convert.to_reloads(self.reply(contract.RELOAD_MODELS, reloads=[reload_]))
        assert found.warm_up is not None
        self.assertEqual((found.warm_up.texts, found.warm_up.flipped), (4, 2))
        self.assertEqual(found.label_flips, LabelFlips(9, 8))


if __name__ == "__main__":
    unittest.main()
