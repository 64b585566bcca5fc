"""The client for threads."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Any, Callable, Generator, Generic, Iterable, Iterator, Mapping

import grpc

from . import _acts as acts
from . import _contract as contract
from . import _convert as convert
from . import _convert_models as convert_models
from ._tracing import call_span, server_attributes
from .administration import Administration
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


class VerdictClient(Administration):
    """Calls Verdict. Create one and share it among threads. Every failure of a call is a `VerdictError`."""

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
        """Opens nothing before the first call.

        `api_key` may be a function, which is asked for each call. `metadata`: headers of every call; a key that ends
        in `-bin` takes bytes, and `api_key` replaces an `authorization`. `timeout`: seconds for a unary or batch call
        that does not say, all attempts together. `http_proxy`: whether `http_proxy` and similar variables of the
        environment apply.
        """
        self._timeout = checked_timeout(timeout)
        self._api_key = api_key
        self._metadata = checked_metadata(metadata)
        self._retry = retry
        self._closed = threading.Event()
        self._server = server_attributes(address)
        options = channel_options(tls, max_receive_bytes, http_proxy)
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
        self._closed.set()
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
        reply = self._unary(contract.BATCH_CLASSIFY, request, timeout, request_id, routing_key)
        return convert.to_batch(reply, len(request.inputs))

    def classify_stream(
        self,
        inputs: Iterable[T],
        *,
        model: str = "",
        version: str = "",
        options: ClassifyOptions | None = None,
        order: StreamOrder = "request",
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
        self, feed: _Feed[T], timeout: float | None, headers: Headers
    ) -> Generator[StreamResult[T], None, None]:
        self._check_open()
        with call_span(contract.CLASSIFY_STREAM, headers, self._server):
            try:
                call = self._stream(iter(feed), timeout=timeout, metadata=tuple(headers.items()))
            except ValueError:
                # gRPC's word for a channel that another thread has closed meanwhile.
                self._check_open()
                raise
            try:
                for message in call:
                    item = feed.take(message.index)
                    result = StreamResult(message.index, item, *convert.to_outcome(message))
                    yield result
                    feed.release()
                feed.check_all_answered()
            except grpc.RpcError as error:
                raise self._failure(error) from None
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
                try:
                    return self._calls[path](request, timeout=max(left, 0.001), metadata=sent)
                except grpc.RpcError as error:
                    failed = self._failure(error)
                except ValueError:
                    # gRPC's word for a channel that another thread has closed meanwhile.
                    self._check_open()
                    raise
                pause = policy.pause(failed, attempts, deadline - time.monotonic())
                if pause is None:
                    raise failed
                self._closed.wait(pause)
                self._check_open()

    def _check_open(self) -> None:
        if self._closed.is_set():
            raise closed() from None

    def _failure(self, error: Any) -> VerdictError:
        found = from_rpc_error(error)
        return closed() if self._closed.is_set() and found.code == "CANCELLED" else found


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
        self.failure: BaseException | None = None

    def __iter__(self) -> Iterator[Any]:
        yield self._settings
        try:
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
            finally:
                close = getattr(inputs, "close", None)
                if close is not None:
                    close()
        except StopIteration:
            self._is_sent = True
        except GeneratorExit:
            raise
        except BaseException as error:
            # The call ends as if there were no more inputs; what was sent is answered first. What gets past here ends
            # gRPC's thread, and the call would never end.
            self.failure = error

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
