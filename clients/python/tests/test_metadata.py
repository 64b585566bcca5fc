"""The headers of calls: what is sent, and what is refused without being quoted."""

import asyncio
import unittest
from typing import Any, Mapping

from peer import start_noting_peer
from verdict_grpc import AsyncVerdictClient, VerdictClient, VerdictError


class Metadata(unittest.TestCase):
    def test_keys_become_small_and_bytes_arrive(self) -> None:
        address, noted = start_noting_peer(self)
        metadata: Mapping[str, str | bytes] = {"X-Tenant": "one tenant", "X-Trace-Bin": b"\x00\xff", "x-empty": ""}
        with VerdictClient(address, metadata=metadata) as client:
            client.classify("a")
            list(client.classify_stream(["a"]))

        async def ask() -> None:
            async with AsyncVerdictClient(address, metadata=metadata) as client:
                await client.classify("a")
                async for _ in client.classify_stream(["a"]):
                    pass

        asyncio.run(ask())
        self.assertEqual(len(noted), 4)
        for headers in noted:
            self.assertEqual(headers["x-tenant"], "one tenant")
            self.assertEqual(headers["x-trace-bin"], b"\x00\xff")
            self.assertEqual(headers["x-empty"], "")

    def test_arguments_replace_headers_of_the_same_name(self) -> None:
        address, noted = start_noting_peer(self)
        metadata = {"Authorization": "Bearer old", "X-Request-Id": "old", "verdict-routing-key": "old"}
        with VerdictClient(address, api_key="new", metadata=metadata) as client:
            client.classify("a", request_id="new", routing_key="new")
        (headers,) = noted
        self.assertEqual(headers["authorization"], "Bearer new")
        self.assertEqual(headers["x-request-id"], "new")
        self.assertEqual(headers["verdict-routing-key"], "new")

    def test_what_cannot_be_sent_is_refused_by_its_key(self) -> None:
        wrong: list[tuple[dict[Any, Any], str]] = [
            ({"x tenant": "secret"}, "'x tenant'"),
            ({"x-tenant\n": "secret"}, r"'x-tenant\n'"),
            ({"": "secret"}, "''"),
            ({5: "secret"}, "int"),
            ({"x-tenant": "secret\n"}, "'x-tenant'"),
            ({"x-tenant": "sécret"}, "'x-tenant'"),
            ({"x-tenant": " secret"}, "'x-tenant'"),
            ({"x-tenant": b"secret"}, "'x-tenant'"),
            ({"x-tenant": None}, "'x-tenant'"),
            ({"x-tenant-bin": "secret"}, "'x-tenant-bin'"),
        ]
        for metadata, named in wrong:
            for make in (VerdictClient, AsyncVerdictClient):
                with self.subTest(metadata=metadata), self.assertRaises(VerdictError) as raised:
                    make(api_key="sk-key", metadata=metadata)
                self.assertEqual(raised.exception.reason, "CLIENT_ARGUMENT")
                self.assertIn(named, str(raised.exception))
                self.assertNotIn("cret", str(raised.exception))
                self.assertNotIn("sk-key", str(raised.exception))

    def test_a_key_that_is_no_text_is_refused(self) -> None:
        with VerdictClient(api_key=lambda: b"secret") as client:  # type: ignore[arg-type, return-value]
            with self.assertRaises(VerdictError) as raised:
                client.classify("a")
        self.assertEqual(raised.exception.reason, "CLIENT_ARGUMENT")
        self.assertNotIn("secret", str(raised.exception))


if __name__ == "__main__":
    unittest.main()
