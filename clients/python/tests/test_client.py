"""The client against a real server, whose address is in VERDICT_ADDRESS. A peer of gRPC's own stands in for overload."""

import asyncio
import os
import unittest
from concurrent import futures
from contextlib import aclosing
from pathlib import Path
from typing import Any, AsyncIterator, Callable, Iterator
from unittest import mock

from peer import refuse, start_noting_peer, start_peer, unary
from verdict_grpc import (
    AsyncVerdictClient,
    ClassifyOptions,
    Pair,
    RetryPolicy,
    Tls,
    VerdictClient,
    VerdictError,
    __version__,
)
from verdict_grpc import _contract as contract

ADDRESS = os.environ["VERDICT_ADDRESS"]
TLS_ADDRESS = os.environ["VERDICT_TLS_ADDRESS"]
CA = Path(os.environ["VERDICT_CA"]).read_bytes()
API_KEY = os.environ["VERDICT_TEST_KEY"]

TEXTS = ["a gripping film", "  ", "two hours of my life gone"]
LABELS = ["POSITIVE", None, "NEGATIVE"]


def label(result: Any) -> Any:
    return None if result.classification is None else result.classification.label


class Calls(unittest.TestCase):
    def setUp(self) -> None:
        self.client = VerdictClient(ADDRESS)
        self.addCleanup(self.client.close)

    def test_one_text(self) -> None:
        answer = self.client.classify("a gripping film", options=ClassifyOptions(top_k=0), request_id="one")
        self.assertEqual(answer.label, "POSITIVE")
        self.assertEqual(len(answer.predictions), 2)
        self.assertAlmostEqual(sum(prediction.score for prediction in answer.predictions), 1, places=3)

    def test_batch(self) -> None:
        results = self.client.classify_batch(TEXTS)
        self.assertEqual([label(result) for result in results], LABELS)
        error = results[1].error
        assert error is not None
        self.assertEqual((error.code, error.reason), ("INVALID_ARGUMENT", "INVALID_FIELD"))

    def test_batch_of_a_generator(self) -> None:
        self.assertEqual([label(result) for result in self.client.classify_batch(text for text in TEXTS)], LABELS)

    def test_error_says_what_was_wrong(self) -> None:
        with self.assertRaises(VerdictError) as raised:
            self.client.classify("", request_id="wrong")
        self.assertEqual(raised.exception.violations[0].field, "text")
        self.assertEqual(raised.exception.request_id, "wrong")

    def test_arguments_are_checked_and_not_quoted(self) -> None:
        secret = "vk_secret\n"
        calls: list[Callable[[], object]] = [
            lambda: VerdictClient(ADDRESS, api_key=secret).classify("a"),
            lambda: self.client.classify(b"bytes"),  # type: ignore[arg-type]
            lambda: self.client.classify("\ud800"),
            lambda: self.client.classify("a", timeout=0),
            lambda: self.client.classify("a", options=ClassifyOptions(top_k=-1)),
            lambda: self.client.classify("a", options={"top_k": "secret"}),  # type: ignore[arg-type]
            lambda: self.client.classify_stream([], window=0),
            lambda: self.client.classify_stream([], order="any"),  # type: ignore[arg-type]
        ]
        for call in calls:
            with self.assertRaises(VerdictError) as raised:
                call()
            self.assertEqual(raised.exception.reason, "CLIENT_ARGUMENT")
            self.assertNotIn("secret", str(raised.exception))

    def test_wrong_options_are_named_and_not_quoted(self) -> None:
        wrong: list[tuple[str, Any, str]] = [
            ("top_k", "secret", "a whole number from 0 to 4294967295"),
            ("top_k", 1.5, "a whole number from 0 to 4294967295"),
            ("min_score", "secret", "a number"),
            ("min_score", 10**400, "a number"),
            ("activation", 5, "one of softmax, sigmoid, none"),
            ("activation", "secret", "one of softmax, sigmoid, none"),
            ("truncation", "unspecified", "one of end, start, reject"),
            ("cache", ["secret"], "one of bypass, refresh"),
        ]
        for name, value, takes in wrong:
            with self.subTest(name=name), self.assertRaises(VerdictError) as raised:
                self.client.classify("a", options=ClassifyOptions(**{name: value}))
            self.assertEqual(raised.exception.reason, "CLIENT_ARGUMENT")
            self.assertEqual(raised.exception.message, f"{name} must be {takes}")

    def test_each_option_is_taken(self) -> None:
        options = ClassifyOptions(top_k=1, min_score=0.1, activation="sigmoid", truncation="start", cache="refresh")
        self.assertEqual(self.client.classify("a gripping film", options=options).label, "POSITIVE")

    def test_version(self) -> None:
        self.assertRegex(__version__, r"^\d+\.\d+\.\d+")

    def test_models_and_health(self) -> None:
        names = [model.name for model in self.client.models()]
        self.assertIn("sentiment", names)
        self.assertTrue(self.client.is_serving("models/sentiment"))

    def test_pair(self) -> None:
        alone = self.client.classify("a gripping film")
        pair = self.client.classify(Pair("a gripping film", "two hours"))
        self.assertGreater(pair.token_count, alone.token_count)

    def test_closed(self) -> None:
        self.client.close()
        for call in (lambda: self.client.classify("a"), lambda: list(self.client.classify_stream(["a"]))):
            with self.assertRaises(VerdictError) as raised:
                call()
            self.assertEqual(raised.exception.reason, "CLIENT_CLOSED")


class Streams(unittest.TestCase):
    def setUp(self) -> None:
        self.client = VerdictClient(ADDRESS)
        self.addCleanup(self.client.close)

    def test_results_in_order(self) -> None:
        results = list(self.client.classify_stream(TEXTS))
        self.assertEqual([label(result) for result in results], LABELS)
        self.assertEqual([result.item for result in results], TEXTS)

    def test_reads_no_further_than_the_window(self) -> None:
        taken = 0

        def texts() -> Iterator[str]:
            nonlocal taken
            for number in range(1000):
                taken = number + 1
                yield f"review number {number}"

        for position, result in enumerate(self.client.classify_stream(texts(), window=8)):
            self.assertEqual(result.index, position)
            self.assertLessEqual(taken, position + 8 + 1)
        self.assertEqual(taken, 1000)

    def test_leaving_the_loop_ends_the_source(self) -> None:
        with futures.ThreadPoolExecutor(1) as pool:
            ended: futures.Future[None] = futures.Future()

            def texts() -> Iterator[str]:
                try:
                    while True:
                        yield "endless"
                finally:
                    ended.set_result(None)

            results = self.client.classify_stream(texts(), window=4)
            next(results)
            results.close()
            pool.submit(ended.result).result(timeout=30)

    def test_error_of_the_source_comes_after_the_answers(self) -> None:
        def texts() -> Iterator[str]:
            yield "a gripping film"
            raise KeyError("the source is broken")

        results = self.client.classify_stream(texts())
        self.assertEqual(label(next(results)), "POSITIVE")
        with self.assertRaises(KeyError):
            next(results)

    def test_source_that_cannot_begin_ends_the_loop(self) -> None:
        class Broken:
            def __iter__(self) -> Iterator[str]:
                raise KeyError("the source is broken")

        with self.assertRaises(KeyError):
            list(self.client.classify_stream(Broken(), timeout=15))

    def test_whatever_the_source_raises_ends_the_loop(self) -> None:
        def texts() -> Iterator[str]:
            yield "a gripping film"
            raise SystemExit

        results = self.client.classify_stream(texts(), timeout=15)
        self.assertEqual(label(next(results)), "POSITIVE")
        with self.assertRaises(SystemExit):
            next(results)

    def test_unknown_model_is_an_error_of_each_input(self) -> None:
        (result,) = self.client.classify_stream(["a"], model="no-such-model")
        assert result.error is not None
        self.assertEqual(result.error.reason, "MODEL_NOT_FOUND")


class Asyncio(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        self.client = AsyncVerdictClient(ADDRESS)
        self.addAsyncCleanup(self.client.close)

    async def test_calls(self) -> None:
        self.assertEqual((await self.client.classify("a gripping film")).label, "POSITIVE")
        self.assertEqual([label(result) for result in await self.client.classify_batch(TEXTS)], LABELS)
        self.assertIn("sentiment", [model.name for model in await self.client.models()])
        self.assertTrue(await self.client.is_serving())

    async def test_stream_reads_no_further_than_the_window(self) -> None:
        taken = 0

        async def texts() -> AsyncIterator[str]:
            nonlocal taken
            for number in range(300):
                taken = number + 1
                yield f"review number {number}"

        position = 0
        async for result in self.client.classify_stream(texts(), window=8):
            self.assertEqual(result.index, position)
            self.assertLessEqual(taken, position + 8 + 1)
            position += 1
        self.assertEqual(position, 300)

    async def test_leaving_the_loop_closes_the_source(self) -> None:
        ended: list[str] = []

        async def coming() -> AsyncIterator[str]:
            try:
                while True:
                    yield "endless"
            finally:
                ended.append("coming")

        def there() -> Iterator[str]:
            try:
                while True:
                    yield "endless"
            finally:
                ended.append("there")

        # Sources that are kept are not closed by being thrown away.
        sources: list[AsyncIterator[str] | Iterator[str]] = [coming(), there()]
        for source in sources:
            async with aclosing(self.client.classify_stream(source, window=4)) as results:
                await anext(results)
        self.assertEqual(ended, ["coming", "there"])

    async def test_error_of_the_source_comes_after_the_answers(self) -> None:
        async def texts() -> AsyncIterator[str]:
            yield "a gripping film"
            raise KeyError("the source is broken")

        results = self.client.classify_stream(texts())
        self.assertEqual(label(await anext(results)), "POSITIVE")
        with self.assertRaises(KeyError):
            await anext(results)

    async def test_cancelled_future_in_the_source_ends_the_loop(self) -> None:
        async def texts() -> AsyncIterator[str]:
            yield "a gripping film"
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            future.cancel()
            await future

        results = self.client.classify_stream(texts())
        self.assertEqual(label(await anext(results)), "POSITIVE")
        with self.assertRaises(asyncio.CancelledError):
            await asyncio.wait_for(anext(results), 15)

    async def test_batch_of_a_generator(self) -> None:
        results = await self.client.classify_batch(text for text in TEXTS)
        self.assertEqual([label(result) for result in results], LABELS)

    async def test_errors_and_a_cancelled_task(self) -> None:
        with self.assertRaises(VerdictError) as raised:
            await self.client.classify("text", model="no-such-model")
        self.assertEqual(raised.exception.reason, "MODEL_NOT_FOUND")
        task = asyncio.ensure_future(self.client.classify("text"))
        await asyncio.sleep(0)
        task.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await task


class Credentials(unittest.TestCase):
    def test_tls_and_key(self) -> None:
        with VerdictClient(TLS_ADDRESS, tls=Tls(ca=CA), api_key=lambda: API_KEY) as client:
            self.assertEqual(client.classify("a gripping film").label, "POSITIVE")

    def test_no_key(self) -> None:
        with VerdictClient(TLS_ADDRESS, tls=Tls(ca=CA)) as client, self.assertRaises(VerdictError) as raised:
            client.classify("a gripping film")
        self.assertEqual(raised.exception.code, "UNAUTHENTICATED")

    def test_key_in_asyncio(self) -> None:
        async def ask() -> str | None:
            async with AsyncVerdictClient(TLS_ADDRESS, tls=Tls(ca=CA), api_key=API_KEY) as client:
                return (await client.classify("a gripping film")).label

        self.assertEqual(asyncio.run(ask()), "POSITIVE")


class Proxy(unittest.TestCase):
    def test_applies_only_if_asked_for(self) -> None:
        address, _ = start_noting_peer(self)
        # Nothing listens there.
        with mock.patch.dict(os.environ, {"http_proxy": "http://127.0.0.1:1"}):
            with VerdictClient(address) as client:
                client.classify("a")
            with VerdictClient(address, http_proxy=True, retry=RetryPolicy(max_attempts=1)) as client:
                with self.assertRaises(VerdictError) as raised:
                    client.classify("a")
        self.assertEqual(raised.exception.code, "UNAVAILABLE")


class Overload(unittest.TestCase):
    """A peer that refuses the first calls as the server does under load."""

    def start(self, refusals: int, retry_seconds: int | None) -> str:
        self.calls = 0

        def answer(request: bytes, context: Any) -> Any:
            self.calls += 1
            if self.calls <= refusals:
                refuse(context, retry_seconds)
            return contract.ClassifyResponse()

        return start_peer(self, {"Classify": unary(answer)})

    def test_comes_back_when_the_server_says(self) -> None:
        with VerdictClient(self.start(refusals=2, retry_seconds=0)) as client:
            client.classify("a")
        self.assertEqual(self.calls, 3)

    def test_gives_up_at_once_if_the_pause_would_pass_the_deadline(self) -> None:
        with VerdictClient(self.start(refusals=9, retry_seconds=3600)) as client:
            with self.assertRaises(VerdictError) as raised:
                client.classify("a", timeout=30)
        self.assertEqual(self.calls, 1)
        self.assertGreaterEqual(raised.exception.retry_after or 0, 3600)

    def test_a_limit_is_not_tried_again(self) -> None:
        with VerdictClient(self.start(refusals=9, retry_seconds=None)) as client:
            with self.assertRaises(VerdictError):
                client.classify("a")
        self.assertEqual(self.calls, 1)

    def test_ends_after_the_last_attempt(self) -> None:
        address = self.start(refusals=9, retry_seconds=0)
        with VerdictClient(address, retry=RetryPolicy(max_attempts=3)) as client:
            with self.assertRaises(VerdictError):
                client.classify("a")
        self.assertEqual(self.calls, 3)

    def test_asyncio_comes_back_too(self) -> None:
        address = self.start(refusals=2, retry_seconds=0)

        async def ask() -> None:
            async with AsyncVerdictClient(address) as client:
                await client.classify("a")

        asyncio.run(ask())
        self.assertEqual(self.calls, 3)


if __name__ == "__main__":
    unittest.main()
