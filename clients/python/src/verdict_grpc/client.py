"""The client for threads."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Any, Callable, Generator, Generic, Iterable, Iterator, Mapping, Sequence

import grpc

from . import _acts as acts
from . import _contract as contract
from . import _convert as convert
from . import _convert_models as convert_models
from ._tracing import call_span
from .administration import Administration
from .errors import VerdictError, closed, from_rpc_error, invalid_argument
from .model_types import Model
from .options import (
    DEFAULT_ADDRESS,
    DEFAULT_MAX_RECEIVE_BYTES,
    DEFAULT_TIMEOUT,
    ApiKey,
    RetryPolicy,
    Tls,
    call_metadata,
    channel_options,
    checked_timeout,
)
from .types import BatchResult, Classification, ClassifyOptions, Input, StreamResult, T


class VerdictClient(Administration):
    """Calls Verdict. Create one and share it among threads. Every failure of a call is a `VerdictError`."""

    def __init__(
        self,
        address: str = DEFAULT_ADDRESS,
        *,
        tls: Tls | None = None,
        api_key: ApiKey = None,
        metadata: Mapping[str, str] | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        retry: RetryPolicy = RetryPolicy(),
        max_receive_bytes: int = DEFAULT_MAX_RECEIVE_BYTES,
    ) -> None:
        """Opens nothing before the first call.

        `api_key` may be a function, which is asked for each call. `timeout`: seconds for a unary or batch call that
        does not say, all attempts together.
        """
        self._timeout = checked_timeout(timeout)
        self._api_key = api_key
        self._metadata = dict(metadata or {})
        self._retry = retry
        self._is_closed = False
        options = channel_options(tls, max_receive_bytes)
        self._channel = (
            grpc.insecure_channel(address, options)
            if tls is None
            else grpc.secure_channel(address, tls.credentials(), options)
        )
        self._calls = {
            path: self._channel.unary_unary(path, contract.serialize, response.FromString)
            for path, response in contract.RESPONSES.items()
        }
        self._stream = self._channel.stream_stream(
            contract.CLASSIFY_STREAM, contract.serialize, contract.ClassifyStreamResponse.FromString
        )

    def __enter__(self) -> VerdictClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections, and cancels the calls under way."""
        self._is_closed = True
        self._channel.close()

    def classify(
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
        """Classifies one text or pair."""
        request = convert.classify_request(given, model, version, options)
        reply = self._unary(contract.CLASSIFY, request, timeout, request_id, routing_key)
        return convert.to_classification(reply.classification)

    def classify_batch(
        self,
        inputs: Sequence[Input],
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
        reply = self._unary(contract.BATCH_CLASSIFY, request, timeout, request_id, routing_key)
        return convert.to_batch(reply, len(inputs))

    def classify_stream(
        self,
        inputs: Iterable[T],
        *,
        model: str = "",
        version: str = "",
        options: ClassifyOptions | None = None,
        order: str = "request",
        window: int = 256,
        timeout: float | None = None,
        request_id: str | None = None,
        routing_key: str | None = None,
    ) -> Generator[StreamResult[T], None, None]:
        """Classifies any number of inputs over one call, which begins with the loop over the results.

        The client reads at most `window` inputs ahead of the results that the loop has taken. It reads them in a
        thread of gRPC's. Leaving the loop cancels the call. An error of `inputs` ends the loop as it is. Streams are
        not tried again: the results that came tell where to go on.
        """
        convert.refuse_one_text(inputs)
        if window < 1:
            raise invalid_argument("window must be at least 1")
        settings = convert.stream_settings(order, options)
        headers = call_metadata(self._api_key, self._metadata, request_id, routing_key)
        deadline = None if timeout is None else checked_timeout(timeout)
        feed = _Feed(inputs, settings, window, lambda given: convert.stream_request(given, model, version))
        return self._results(feed, deadline, headers)

    def _results(
        self, feed: _Feed[T], timeout: float | None, headers: list[tuple[str, str]]
    ) -> Generator[StreamResult[T], None, None]:
        if self._is_closed:
            raise closed()
        with call_span(contract.CLASSIFY_STREAM, headers):
            call = self._stream(iter(feed), timeout=timeout, metadata=headers)
            try:
                for message in call:
                    item = feed.take(message.index)
                    result = StreamResult(message.index, item, *convert.to_outcome(message))
                    yield result
                    feed.release()
                feed.check_all_answered()
            except grpc.RpcError as error:
                raise from_rpc_error(error) from None
            finally:
                feed.stop()
                call.cancel()

    def models(self, *, timeout: float | None = None) -> list[Model]:
        """The models of the server, by name."""
        reply = self._unary(contract.LIST_MODELS, contract.ListModelsRequest(), timeout)
        return convert_models.to_models(reply)

    def is_serving(self, service: str = "", *, timeout: float | None = None) -> bool:
        """Asks once whether the server, or `models/<name>`, is able to serve. Raises if it cannot be reached."""
        request = contract.HealthCheckRequest(service=service)
        reply = self._unary(contract.HEALTH_CHECK, request, timeout, retry=RetryPolicy(max_attempts=1))
        return bool(reply.status == 1)

    def _ask(self, act: acts.Act[acts.R], timeout: float | None) -> acts.R:
        return act.answer(self._unary(act.path, act.request, timeout))

    def _unary(
        self,
        path: str,
        request: Any,
        timeout: float | None,
        request_id: str | None = None,
        routing_key: str | None = None,
        retry: RetryPolicy | None = None,
    ) -> Any:
        if self._is_closed:
            raise closed()
        policy = retry or self._retry
        deadline = time.monotonic() + checked_timeout(self._timeout if timeout is None else timeout)
        headers = call_metadata(self._api_key, self._metadata, request_id, routing_key)
        with call_span(path, headers):
            attempts = 0
            while True:
                attempts += 1
                left = deadline - time.monotonic()
                try:
                    return self._calls[path](request, timeout=max(left, 0.001), metadata=headers)
                except grpc.RpcError as error:
                    failed = from_rpc_error(error)
                pause = policy.pause(failed, attempts, deadline - time.monotonic())
                if pause is None:
                    raise failed
                time.sleep(pause)


class _Feed(Generic[T]):
    """What a stream sends. gRPC iterates it in a thread of its own, and waits while `window` inputs are under way."""

    def __init__(
        self, inputs: Iterable[T], settings: Any, window: int, request: Callable[[T], Any]
    ) -> None:
        self._inputs = inputs
        self._settings = settings
        self._window = window
        self._request = request
        self._changed = threading.Condition()
        self._under_way = 0
        self._unanswered: dict[int, T] = {}
        self._is_over = False
        self._is_sent = False
        #: What `inputs` raised, or what was wrong with one of them.
        self.failure: Exception | None = None

    def __iter__(self) -> Iterator[Any]:
        yield self._settings
        inputs = iter(self._inputs)
        try:
            index = 0
            while self._reserve():
                item = next(inputs)
                request = self._request(item)
                with self._changed:
                    self._unanswered[index] = item
                yield request
                index = (index + 1) % 2**32
        except StopIteration:
            self._is_sent = True
        except Exception as error:
            # The call ends as if there were no more inputs; what was sent is answered first.
            self.failure = error
        finally:
            close = getattr(inputs, "close", None)
            if close is not None:
                close()

    def _reserve(self) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._is_over or self._under_way < self._window)
            self._under_way += 1
            return not self._is_over

    def take(self, index: int) -> T:
        with self._changed:
            if index not in self._unanswered:
                raise VerdictError(
                    "INTERNAL", "the server answered an input that it was not sent", reason="STREAM_BROKEN"
                )
            return self._unanswered.pop(index)

    def release(self) -> None:
        with self._changed:
            self._under_way -= 1
            self._changed.notify()

    def stop(self) -> None:
        with self._changed:
            self._is_over = True
            self._changed.notify()

    def check_all_answered(self) -> None:
        if self.failure is not None:
            raise self.failure
        if self._unanswered or not self._is_sent:
            raise VerdictError(
                "INTERNAL",
                "the server ended the stream before it had answered every input",
                reason="STREAM_BROKEN",
            )
