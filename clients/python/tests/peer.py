"""A peer of gRPC's own, for what the real server does not do on demand."""

import threading
import unittest
from concurrent import futures
from typing import Any, Callable, Iterator, Mapping

import grpc

from verdict_grpc import _contract as contract

Headers = dict[str, Any]


def start_peer(test: unittest.TestCase, methods: Mapping[str, Any]) -> str:
    """Serves methods of the classifier until the test ends. Returns the address."""
    server = grpc.server(futures.ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("verdict.v1.ClassifierService", methods),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    test.addCleanup(lambda: server.stop(None).wait())
    return f"127.0.0.1:{port}"


def unary(answer: Callable[[bytes, Any], Any]) -> Any:
    """A method that takes the bytes of a request and gives a message."""
    return grpc.unary_unary_rpc_method_handler(answer, response_serializer=contract.serialize)


def streaming(answer: Callable[[Iterator[bytes], Any], Iterator[Any]]) -> Any:
    """As `unary`, for a stream."""
    return grpc.stream_stream_rpc_method_handler(answer, response_serializer=contract.serialize)


def start_noting_peer(test: unittest.TestCase) -> tuple[str, list[Headers]]:
    """A peer that answers everything with nothing. Returns its address, and the headers of the calls that come."""
    noted: list[Headers] = []

    def classify(request: bytes, context: Any) -> Any:
        noted.append(dict(context.invocation_metadata()))
        return contract.ClassifyResponse()

    def stream(requests: Iterator[bytes], context: Any) -> Iterator[Any]:
        noted.append(dict(context.invocation_metadata()))
        next(requests)
        for index, _ in enumerate(requests):
            yield contract.ClassifyStreamResponse(index=index, classification={})

    return start_peer(test, {"Classify": unary(classify), "ClassifyStream": streaming(stream)}), noted


def start_silent_peer(test: unittest.TestCase) -> tuple[str, threading.Event]:
    """A peer that answers nothing while the test runs. Returns its address, and what tells that a call has come."""
    came = threading.Event()
    is_over = threading.Event()

    def classify(request: bytes, context: Any) -> Any:
        came.set()
        is_over.wait()
        return contract.ClassifyResponse()

    def stream(requests: Iterator[bytes], context: Any) -> Iterator[Any]:
        came.set()
        is_over.wait()
        return iter(())

    address = start_peer(test, {"Classify": unary(classify), "ClassifyStream": streaming(stream)})
    test.addCleanup(is_over.set)
    return address, came


def refuse(context: Any, retry_seconds: int | None) -> None:
    """Ends a call as the server does under load."""
    status = contract.Status(code=8, message="full")
    if retry_seconds is not None:
        delay = contract.RetryInfo(retry_delay={"seconds": retry_seconds, "nanos": 1_000_000})
        detail = status.details.add()
        detail.type_url = "type.googleapis.com/google.rpc.RetryInfo"
        detail.value = contract.serialize(delay)
    context.set_trailing_metadata((("grpc-status-details-bin", contract.serialize(status)),))
    context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "full")
