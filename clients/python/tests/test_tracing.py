"""The spans of calls."""

import asyncio
import os
import unittest
from typing import Any, Iterator

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from peer import start_noting_peer, start_silent_peer
from verdict_grpc import AsyncVerdictClient, VerdictClient, VerdictError
from verdict_grpc._tracing import server_attributes

ADDRESS = os.environ["VERDICT_ADDRESS"]

spans = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(spans))
trace.set_tracer_provider(provider)


class Tracing(unittest.TestCase):
    def setUp(self) -> None:
        spans.clear()

    def check_span(self, status: int, error: str | None) -> Any:
        (span,) = spans.get_finished_spans()
        attributes = span.attributes or {}
        self.assertEqual(attributes["rpc.grpc.status_code"], status)
        self.assertEqual(attributes.get("error.type"), error)
        expected = trace.StatusCode.UNSET if error is None else trace.StatusCode.ERROR
        self.assertEqual(span.status.status_code, expected)
        return span

    def test_call_is_a_span_without_text(self) -> None:
        with VerdictClient(ADDRESS) as client:
            client.classify("a gripping film")
        span = self.check_span(0, None)
        self.assertEqual(span.name, "verdict.v1.ClassifierService/Classify")
        host, _, port = ADDRESS.rpartition(":")
        self.assertEqual((span.attributes["server.address"], span.attributes["server.port"]), (host, int(port)))
        self.assertNotIn("gripping", span.to_json())

    def test_the_peer_goes_on_with_the_span(self) -> None:
        address, noted = start_noting_peer(self)
        with VerdictClient(address, metadata={"traceparent": "of the caller"}) as client:
            client.classify("a")
        (headers,) = noted
        (span,) = spans.get_finished_spans()
        assert span.context is not None
        self.assertIn(f"{span.context.span_id:016x}", headers["traceparent"])

    def test_refusal(self) -> None:
        with VerdictClient(ADDRESS) as client, self.assertRaises(VerdictError):
            client.classify("text", model="no-such-model")
        self.check_span(5, "NOT_FOUND")

    def test_failing_source(self) -> None:
        def texts() -> Iterator[str]:
            yield "a"
            raise KeyError("secret")

        address, _ = start_noting_peer(self)
        with VerdictClient(address) as client, self.assertRaises(KeyError):
            list(client.classify_stream(texts()))
        self.assertNotIn("secret", self.check_span(2, "KeyError").to_json())

    def test_loop_that_is_left_early(self) -> None:
        address, _ = start_noting_peer(self)
        with VerdictClient(address) as client:
            results = client.classify_stream(["a", "b"])
            next(results)
            results.close()
        self.check_span(1, "CANCELLED")

    def test_cancelled_task(self) -> None:
        address, came = start_silent_peer(self)

        async def ask() -> None:
            async with AsyncVerdictClient(address) as client:
                task = asyncio.ensure_future(client.classify("a"))
                await asyncio.to_thread(came.wait, 30)
                task.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await task

        asyncio.run(ask())
        self.check_span(1, "CANCELLED")

    def test_only_an_address_of_one_host_is_told(self) -> None:
        self.assertEqual(server_attributes("verdict:50051"), {"server.address": "verdict", "server.port": 50051})
        self.assertEqual(server_attributes("dns:///verdict:80"), {"server.address": "verdict", "server.port": 80})
        self.assertEqual(server_attributes("[::1]:80"), {"server.address": "::1", "server.port": 80})
        for address in ("unix:/run/verdict.sock", "ipv4:10.0.0.1:80,10.0.0.2:80", "verdict"):
            self.assertEqual(server_attributes(address), {})


if __name__ == "__main__":
    unittest.main()
