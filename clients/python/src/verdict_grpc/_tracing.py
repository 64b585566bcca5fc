"""A span for each call, if the program has OpenTelemetry; nothing otherwise. Spans hold no texts."""

from __future__ import annotations

import asyncio
import re
from contextlib import contextmanager
from typing import Iterator

import grpc

from .errors import VerdictError
from .options import Headers

try:
    from opentelemetry import propagate, trace
except ImportError:  # pragma: no cover - the tests have it
    trace = None  # type: ignore[assignment]

_HOST_AND_PORT = re.compile(r"(?:dns:(?:///)?)?(?:\[(?P<ip6>[0-9A-Fa-f:.]+)\]|(?P<host>[^/:,\[\]]+)):(?P<port>\d+)")


def server_attributes(address: str) -> dict[str, str | int]:
    """Where the calls go, if the address names one host; other targets of gRPC may stand for several."""
    found = _HOST_AND_PORT.fullmatch(address)
    if found is None:
        return {}
    return {"server.address": found["ip6"] or found["host"], "server.port": int(found["port"])}


@contextmanager
def call_span(path: str, headers: Headers, server: dict[str, str | int]) -> Iterator[None]:
    """Adds `traceparent` to the headers, and notes how the call ended."""
    if trace is None:
        yield
        return
    service, _, method = path[1:].partition("/")
    span = trace.get_tracer("verdict-grpc").start_span(
        path[1:],
        kind=trace.SpanKind.CLIENT,
        attributes={"rpc.system": "grpc", "rpc.service": service, "rpc.method": method, **server},
    )
    carrier: dict[str, str] = {}
    propagate.inject(carrier, trace.set_span_in_context(span))
    # Some propagators write capital letters, which gRPC refuses.
    headers.update((key.lower(), value) for key, value in carrier.items())
    code = grpc.StatusCode.OK
    try:
        yield
    except BaseException as error:
        code, kind = _ending(error)
        span.set_attribute("error.type", kind)
        span.set_status(trace.StatusCode.ERROR)
        raise
    finally:
        span.set_attribute("rpc.grpc.status_code", code.value[0])
        span.end()


def _ending(error: BaseException) -> tuple[grpc.StatusCode, str]:
    """The status that an error stands for, and its name. A loop that is left early ends with GeneratorExit."""
    if isinstance(error, VerdictError):
        # A source may raise one of its own making.
        return grpc.StatusCode.__members__.get(error.code, grpc.StatusCode.UNKNOWN), error.code
    if isinstance(error, (asyncio.CancelledError, GeneratorExit, KeyboardInterrupt)):
        return grpc.StatusCode.CANCELLED, "CANCELLED"
    return grpc.StatusCode.UNKNOWN, type(error).__qualname__
