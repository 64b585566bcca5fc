"""What becomes of calls when the client is closed, and of tasks that are cancelled."""

import asyncio
import threading
import unittest
from concurrent import futures
from typing import Any, Awaitable, Callable

from peer import refuse, start_peer, start_silent_peer, unary
from verdict_grpc import AsyncVerdictClient, VerdictClient, VerdictError


def start_refusing_peer(test: unittest.TestCase) -> tuple[str, threading.Event]:
    """A peer that asks every caller to come back much later. Also returns what tells that a call has come."""
    came = threading.Event()

    def classify(request: bytes, context: Any) -> Any:
        came.set()
        refuse(context, retry_seconds=25)

    return start_peer(test, {"Classify": unary(classify)}), came


class Threads(unittest.TestCase):
    def check_closing_ends(self, address: str, came: threading.Event, call: Callable[[VerdictClient], object]) -> None:
        client = VerdictClient(address)
        self.addCleanup(client.close)
        with futures.ThreadPoolExecutor(1) as pool:
            outcome = pool.submit(call, client)
            self.assertTrue(came.wait(30))
            client.close()
            with self.assertRaises(VerdictError) as raised:
                outcome.result(timeout=15)
        self.assertEqual((raised.exception.code, raised.exception.reason), ("CANCELLED", "CLIENT_CLOSED"))

    def test_between_attempts(self) -> None:
        self.check_closing_ends(*start_refusing_peer(self), lambda client: client.classify("a"))

    def test_call_under_way(self) -> None:
        self.check_closing_ends(*start_silent_peer(self), lambda client: client.classify("a"))

    def test_stream_under_way(self) -> None:
        self.check_closing_ends(*start_silent_peer(self), lambda client: list(client.classify_stream(["a"])))

    def test_just_before_the_call(self) -> None:
        def close_and_tell() -> str:
            client.close()
            return "key"

        client = VerdictClient(api_key=close_and_tell)
        with self.assertRaises(VerdictError) as raised:
            client.classify("a")
        self.assertEqual(raised.exception.reason, "CLIENT_CLOSED")


class Asyncio(unittest.IsolatedAsyncioTestCase):
    async def check_closing_ends(
        self, address: str, came: threading.Event, call: Callable[[AsyncVerdictClient], Awaitable[object]]
    ) -> None:
        client = AsyncVerdictClient(address)
        task = asyncio.ensure_future(call(client))
        self.assertTrue(await asyncio.to_thread(came.wait, 30))
        # By now the client knows what the peer has said to it.
        await asyncio.sleep(0.2)
        await client.close()
        with self.assertRaises(VerdictError) as raised:
            await asyncio.wait_for(task, 15)
        self.assertEqual((raised.exception.code, raised.exception.reason), ("CANCELLED", "CLIENT_CLOSED"))

    async def test_between_attempts(self) -> None:
        await self.check_closing_ends(*start_refusing_peer(self), lambda client: client.classify("a"))

    async def test_call_under_way(self) -> None:
        await self.check_closing_ends(*start_silent_peer(self), lambda client: client.classify("a"))

    async def test_stream_under_way(self) -> None:
        await self.check_closing_ends(*start_silent_peer(self), results_of)

    async def test_cancelled_task_stays_cancelled_though_the_client_closes(self) -> None:
        calls: list[Callable[[AsyncVerdictClient], Awaitable[object]]] = [
            lambda client: client.classify("a"),
            results_of,
        ]
        for call in calls:
            address, came = start_silent_peer(self)
            client = AsyncVerdictClient(address)
            task = asyncio.ensure_future(call(client))
            self.assertTrue(await asyncio.to_thread(came.wait, 30))
            task.cancel()
            await client.close()
            with self.assertRaises(asyncio.CancelledError):
                await asyncio.wait_for(task, 15)


async def results_of(client: AsyncVerdictClient) -> object:
    return [result async for result in client.classify_stream(["a"])]


if __name__ == "__main__":
    unittest.main()
