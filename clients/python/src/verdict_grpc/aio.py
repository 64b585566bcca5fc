"""The client for asyncio."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from types import TracebackType
from typing import Any, AsyncGenerator, AsyncIterable, Awaitable, Iterable, Mapping

import grpc
import grpc.aio

from . import _acts as acts
from . import _contract as contract
from . import _convert as convert
from . import _convert_models as convert_models
from ._tracing import call_span, server_attributes
from .aio_administration import AsyncAdministration
from .errors import VerdictError, closed, from_rpc_error, invalid_argument
from .model_types import Model
from .options import (
    DEFAULT_ADDRESS,
    DEFAULT_MAX_RECEIVE_BYTES,
    DEFAULT_TIMEOUT,
    ApiKey,
    Headers,
    RetryPolicy,
    Tls,
    call_metadata,
    channel_options,
    checked_metadata,
    checked_timeout,
)
from .types import BatchResult, Classification, ClassifyOptions, Input, StreamOrder, StreamResult, T


class AsyncVerdictClient(AsyncAdministration):
    """Calls Verdict from one event loop: create it there. Every failure of a call is a `VerdictError`."""

    def __init__(
        self,
        address: str = DEFAULT_ADDRESS,
        *,
        tls: Tls | None = None,
        api_key: ApiKey = None,
        metadata: Mapping[str, str | bytes] | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        retry: RetryPolicy = RetryPolicy(),
        max_receive_bytes: int = DEFAULT_MAX_RECEIVE_BYTES,
        http_proxy: bool = False,
    ) -> None:
        """As of `VerdictClient`."""
        self._timeout = checked_timeout(timeout)
        self._api_key = api_key
        self._metadata = checked_metadata(metadata)
        self._retry = retry
        self._closed = asyncio.Event()
        #: The streams under way. gRPC ends unary calls itself when the channel closes, but not these.
        self._streams: set[Any] = set()
        self._server = server_attributes(address)
        options = channel_options(tls, max_receive_bytes, http_proxy)
        self._channel = (
            grpc.aio.insecure_channel(address, options)
            if tls is None
            else grpc.aio.secure_channel(address, tls.credentials(), options)
        )
        self._calls = {
            path: self._channel.unary_unary(path, contract.serialize, response.FromString)
            for path, response in contract.RESPONSES.items()
        }
        self._stream = self._channel.stream_stream(
            contract.CLASSIFY_STREAM, contract.serialize, contract.ClassifyStreamResponse.FromString
        )

    async def __aenter__(self) -> AsyncVerdictClient:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connections, and cancels the calls under way."""
        self._closed.set()
        for call in tuple(self._streams):
            call.cancel()
        await self._channel.close()

    async def classify(
        self,
        given: Input,
        *,
        model: str = "",
        version: str = "",
        options: ClassifyOptions | None = None,
        timeout: float | None = None,
        request_id: str | None = None,
        routing_key: str | None = None,
    ) -> Classification:
        """Classifies one text or pair. Cancelling the task cancels the call."""
        request = convert.classify_request(given, model, version, options)
        reply = await self._unary(contract.CLASSIFY, request, timeout, request_id, routing_key)
        return convert.to_classification(reply.classification)

    async def classify_batch(
        self,
        inputs: Iterable[Input],
        *,
        model: str = "",
        version: str = "",
        options: ClassifyOptions | None = None,
        timeout: float | None = None,
        request_id: str | None = None,
        routing_key: str | None = None,
    ) -> list[BatchResult]:
        """Classifies up to 32 inputs (the server's default) in one call. An error of one input fails only that input."""
        request = convert.batch_request(inputs, model, version, options)
        reply = await self._unary(contract.BATCH_CLASSIFY, request, timeout, request_id, routing_key)
        return convert.to_batch(reply, len(request.inputs))

    def classify_stream(
        self,
        inputs: AsyncIterable[T] | Iterable[T],
        *,
        model: str = "",
        version: str = "",
        options: ClassifyOptions | None = None,
        order: StreamOrder = "request",
        window: int = 256,
        timeout: float | None = None,
        request_id: str | None = None,
        routing_key: str | None = None,
    ) -> AsyncGenerator[StreamResult[T], None]:
        """Classifies any number of inputs over one call, which begins with the loop over the results.

        The client reads at most `window` inputs ahead of the results that the loop has taken. To leave the loop
        early, close the generator (`contextlib.aclosing`): that cancels the call. An error of `inputs` ends the loop
        as it is. Streams are not tried again.
        """
        convert.refuse_one_text(inputs)
        if window < 1:
            raise invalid_argument("window must be at least 1")
        settings = convert.stream_settings(order, options)
        headers = call_metadata(self._api_key, self._metadata, request_id, routing_key)
        deadline = None if timeout is None else checked_timeout(timeout)
        return self._results(_source(inputs), settings, model, version, window, deadline, headers)

    async def _results(
        self,
        source: AsyncGenerator[T, None],
        settings: Any,
        model: str,
        version: str,
        window: int,
        timeout: float | None,
        headers: Headers,
    ) -> AsyncGenerator[StreamResult[T], None]:
        self._check_open()
        free = asyncio.Semaphore(window)
        unanswered: dict[int, T] = {}
        is_sent = is_over = False
        failure: BaseException | None = None
        # The window bounds it. None: no more will come.
        messages: asyncio.Queue[Any] = asyncio.Queue()

        async def receive() -> None:
            while (message := await call.read()) is not grpc.aio.EOF:
                messages.put_nowait(message)

        async def send() -> None:
            nonlocal is_sent, failure
            await call.write(settings)
            index = 0
            while True:
                await free.acquire()
                try:
                    item = await anext(source)
                    request = convert.stream_request(item, model, version)
                except StopAsyncIteration:
                    break
                except BaseException as error:
                    if is_over:
                        raise
                    # The call ends as if there were no more inputs; what was sent is answered first. That goes for a
                    # CancelledError too, which came out of the source, since nobody has cancelled this task.
                    failure = error
                    break
                unanswered[index] = item
                await call.write(request)
                index = (index + 1) % 2**32
            await call.done_writing()
            is_sent = True

        with call_span(contract.CLASSIFY_STREAM, headers, self._server):
            call = self._stream(timeout=timeout, metadata=tuple(headers.items()))
            self._streams.add(call)
            sender = asyncio.ensure_future(send())
            receiver = asyncio.ensure_future(receive())
            receiver.add_done_callback(lambda _: messages.put_nowait(None))
            try:
                while (message := await messages.get()) is not None:
                    if message.index not in unanswered:
                        raise _broken("the server answered an input that it was not sent")
                    item = unanswered.pop(message.index)
                    yield StreamResult(message.index, item, *convert.to_outcome(message))
                    free.release()
                ended = await _end(receiver)
                if ended is not None:
                    raise self._failure(ended)
                if failure is not None:
                    raise failure
                if unanswered or not is_sent:
                    raise _broken("the server ended the stream before it had answered every input")
            finally:
                is_over = True
                self._streams.discard(call)
                call.cancel()
                sender.cancel()
                receiver.cancel()
                # What they met is known by now, or was brought about here.
                await asyncio.gather(sender, receiver, return_exceptions=True)
                await source.aclose()

    async def models(self, *, timeout: float | None = None) -> list[Model]:
        """The models of the server, by name."""
        reply = await self._unary(contract.LIST_MODELS, contract.ListModelsRequest(), timeout)
        return convert_models.to_models(reply)

    async def is_serving(self, service: str = "", *, timeout: float | None = None) -> bool:
        """Asks once whether the server, or `models/<name>`, is able to serve. Raises if it cannot be reached."""
        request = contract.HealthCheckRequest(service=service)
        once = RetryPolicy(max_attempts=1)
        reply = await self._unary(contract.HEALTH_CHECK, request, timeout, retry=once)
        return bool(reply.status == 1)

    async def _ask(self, act: acts.Act[acts.R], timeout: float | None) -> acts.R:
        return act.answer(await self._unary(act.path, act.request, timeout))

    async def _unary(
        self,
        path: str,
        request: Any,
        timeout: float | None,
        request_id: str | None = None,
        routing_key: str | None = None,
        retry: RetryPolicy | None = None,
    ) -> Any:
        self._check_open()
        policy = retry or self._retry
        deadline = time.monotonic() + checked_timeout(self._timeout if timeout is None else timeout)
        headers = call_metadata(self._api_key, self._metadata, request_id, routing_key)
        with call_span(path, headers, self._server):
            sent = tuple(headers.items())
            attempts = 0
            while True:
                attempts += 1
                left = deadline - time.monotonic()
                call = self._calls[path](request, timeout=max(left, 0.001), metadata=sent)
                ended = await _end(call)
                if not isinstance(ended, BaseException):
                    return ended
                failed = self._failure(ended)
                if not isinstance(failed, VerdictError):
                    raise failed
                pause = policy.pause(failed, attempts, deadline - time.monotonic())
                if pause is None:
                    raise failed
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self._closed.wait(), pause)
                self._check_open()

    def _check_open(self) -> None:
        if self._closed.is_set():
            raise closed()

    def _failure(self, error: BaseException) -> BaseException:
        """gRPC's error as the client's. A call that the client's closing ends is CANCELLED, or a CancelledError."""
        found = from_rpc_error(error) if isinstance(error, grpc.RpcError) else error
        is_cancelled = isinstance(found, asyncio.CancelledError) or (
            isinstance(found, VerdictError) and found.code == "CANCELLED"
        )
        return closed() if is_cancelled and self._closed.is_set() else found


async def _end(call: Awaitable[Any]) -> Any:
    """What a call has come to: its reply, or its error.

    A CancelledError that is returned is that of the call alone. If the caller's own task is cancelled, it is raised.
    """
    ended = await asyncio.gather(call, return_exceptions=True)
    return ended[0]


async def _source(inputs: AsyncIterable[T] | Iterable[T]) -> AsyncGenerator[T, None]:
    """The inputs one by one. To close it closes the caller's iterator, which may hold files or connections."""
    if isinstance(inputs, AsyncIterable):
        items = aiter(inputs)
        try:
            async for item in items:
                yield item
        finally:
            aclose = getattr(items, "aclose", None)
            if aclose is not None:
                await aclose()
    else:
        iterator = iter(inputs)
        try:
            for item in iterator:
                yield item
        finally:
            close = getattr(iterator, "close", None)
            if close is not None:
                close()


def _broken(message: str) -> VerdictError:
    return VerdictError("INTERNAL", message, reason="STREAM_BROKEN")
