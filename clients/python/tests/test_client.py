"""The client against a real server, whose address is in VERDICT_ADDRESS. A peer of gRPC's own stands in for overload."""

import asyncio
import os
import unittest
from concurrent import futures
from contextlib import aclosing
from pathlib import Path
from typing import Any, AsyncIterator, Callable, Iterator

import grpc
import numpy
import pandas
import pyarrow
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from verdict_grpc import (
    AsyncVerdictClient,
    ClassifyOptions,
    Pair,
    RetryPolicy,
    Tls,
    VerdictClient,
    VerdictError,
)
from verdict_grpc import _contract as contract
from verdict_grpc.tables import classify_arrow, classify_numpy, classify_pandas

ADDRESS = os.environ["VERDICT_ADDRESS"]
TLS_ADDRESS = os.environ["VERDICT_TLS_ADDRESS"]
CA = Path(os.environ["VERDICT_CA"]).read_bytes()
API_KEY = os.environ["VERDICT_TEST_KEY"]

TEXTS = ["a gripping film", "  ", "two hours of my life gone"]
LABELS = ["POSITIVE", None, "NEGATIVE"]

spans = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(spans))
trace.set_tracer_provider(provider)


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
            lambda: self.client.classify("a", options=ClassifyOptions(activation="other")),  # type: ignore[arg-type]
            lambda: self.client.classify_stream([], window=0),
            lambda: self.client.classify_stream([], order="any"),
        ]
        for call in calls:
            with self.assertRaises(VerdictError) as raised:
                call()
            self.assertEqual(raised.exception.reason, "CLIENT_ARGUMENT")
            self.assertNotIn("secret", str(raised.exception))

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

    def test_call_is_a_span_without_text(self) -> None:
        spans.clear()
        self.client.classify("a gripping film")
        (span,) = spans.get_finished_spans()
        self.assertEqual(span.name, "verdict.v1.ClassifierService/Classify")
        self.assertNotIn("gripping", span.to_json())


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

    async def test_leaving_the_loop_ends_the_source(self) -> None:
        ended = asyncio.Event()

        async def texts() -> AsyncIterator[str]:
            try:
                while True:
                    yield "endless"
            finally:
                ended.set()

        async with aclosing(self.client.classify_stream(texts(), window=4)) as results:
            await anext(results)
        await asyncio.wait_for(ended.wait(), 30)

    async def test_error_of_the_source_comes_after_the_answers(self) -> None:
        async def texts() -> AsyncIterator[str]:
            yield "a gripping film"
            raise KeyError("the source is broken")

        results = self.client.classify_stream(texts())
        self.assertEqual(label(await anext(results)), "POSITIVE")
        with self.assertRaises(KeyError):
            await anext(results)

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


class Overload(unittest.TestCase):
    """A peer that refuses the first calls as the server does under load."""

    def start(self, refusals: int, retry_seconds: int | None) -> str:
        self.calls = 0

        def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
            self.calls += 1
            self.headers = dict(context.invocation_metadata())
            if self.calls > refusals:
                return contract.serialize(contract.ClassifyResponse())
            status = contract.Status(code=8, message="full")
            if retry_seconds is not None:
                delay = contract.RetryInfo(retry_delay={"seconds": retry_seconds, "nanos": 1_000_000})
                detail = status.details.add()
                detail.type_url = "type.googleapis.com/google.rpc.RetryInfo"
                detail.value = contract.serialize(delay)
            context.set_trailing_metadata((("grpc-status-details-bin", contract.serialize(status)),))
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "full")
            raise AssertionError

        server = grpc.server(futures.ThreadPoolExecutor(2))
        handlers = {"Classify": grpc.unary_unary_rpc_method_handler(answer)}
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("verdict.v1.ClassifierService", handlers),)
        )
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        self.addCleanup(lambda: server.stop(None).wait())
        return f"127.0.0.1:{port}"

    def test_comes_back_when_the_server_says(self) -> None:
        with VerdictClient(self.start(refusals=2, retry_seconds=0)) as client:
            client.classify("a")
        self.assertEqual(self.calls, 3)
        self.assertIn("traceparent", self.headers)

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


class Tables(unittest.TestCase):
    def setUp(self) -> None:
        self.client = VerdictClient(ADDRESS)
        self.addCleanup(self.client.close)

    def test_numpy_keeps_the_shape(self) -> None:
        texts = numpy.array([[None, "a gripping film"], ["  ", None]], dtype=object)
        found = classify_numpy(self.client, texts)
        self.assertEqual(found.shape, (2, 2))
        self.assertEqual(found["label"].tolist(), [[None, "POSITIVE"], [None, None]])
        self.assertTrue(numpy.isnan(found["score"][1, 0]))
        self.assertEqual(found["error"][0, 0], "the text is missing")
        self.assertIn("INVALID_ARGUMENT", found["error"][1, 0])

    def test_pandas_keeps_the_index(self) -> None:
        texts = pandas.Series(["a gripping film", float("nan"), "two hours of my life gone"], index=[7, 3, 9])
        found = classify_pandas(self.client, texts)
        self.assertEqual(list(found.index), [7, 3, 9])
        self.assertEqual(found["label"][9], "NEGATIVE")
        self.assertTrue(pandas.isna(found["label"][3]))

    def test_arrow(self) -> None:
        texts = pyarrow.chunked_array([["a gripping film", None], ["two hours of my life gone"]])
        found = classify_arrow(self.client, texts)
        self.assertEqual(found["label"].to_pylist(), ["POSITIVE", None, "NEGATIVE"])
        self.assertEqual(found.num_rows, 3)

    def test_nothing_in_nothing_out(self) -> None:
        self.assertEqual(classify_arrow(self.client, pyarrow.array([], pyarrow.string())).num_rows, 0)
        self.assertEqual(classify_numpy(self.client, numpy.array([None], dtype=object)).shape, (1,))


if __name__ == "__main__":
    unittest.main()
