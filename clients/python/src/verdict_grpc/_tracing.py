"""A span for each call, if the program has OpenTelemetry; nothing otherwise. Spans hold no texts."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Iterator

from .errors import VerdictError

try:
    from opentelemetry import propagate, trace
except ImportError:  # pragma: no cover - the tests have it
    trace = None  # type: ignore[assignment]


@contextmanager
def call_span(path: str, headers: list[tuple[str, str]]) -> Iterator[None]:
    """Adds `traceparent` to the headers, and notes how the call ended."""
    if trace is None:
        yield
        return
    service, _, method = path[1:].partition("/")
    span = trace.get_tracer("verdict-grpc").start_span(
        path[1:],
        kind=trace.SpanKind.CLIENT,
        attributes={"rpc.system": "grpc", "rpc.service": service, "rpc.method": method},
    )
    carrier: dict[str, str] = {}
    propagate.inject(carrier, trace.set_span_in_context(span))
    headers.extend(carrier.items())
    try:
        yield
    except VerdictError as error:
        span.set_attribute("error.type", error.code)
        span.set_status(trace.StatusCode.ERROR)
        raise
    finally:
        span.end()
