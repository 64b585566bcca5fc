"""The one error of this client, and how it is read out of gRPC's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterable

import grpc
from google.protobuf.message import DecodeError

from . import _contract as contract


@dataclass(frozen=True)
class FieldViolation:
    """One wrong field of a request: where it is, and what is allowed there."""

    field: str
    description: str


class VerdictError(Exception):
    """A call that failed, or one input of a batch or a stream that did."""

    #: gRPC's name of the code: `INVALID_ARGUMENT`.
    code: str
    #: Stable cause in UPPER_SNAKE_CASE, such as `QUEUE_FULL`; empty where none was sent.
    reason: str
    violations: tuple[FieldViolation, ...]
    #: When trying again may help, in seconds from now.
    retry_after: float | None
    #: The call's `x-request-id`: the key to the server's log.
    request_id: str | None

    def __init__(self, code: str, message: str, *, reason: str = "", request_id: str | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.reason = reason
        self.violations = ()
        self.retry_after = None
        self.request_id = request_id


def invalid_argument(message: str) -> VerdictError:
    """The error of wrong arguments, found before anything was sent."""
    return VerdictError("INVALID_ARGUMENT", message, reason="CLIENT_ARGUMENT")


def closed() -> VerdictError:
    """The error of a call on a client that is closed."""
    return VerdictError("CANCELLED", "the client is closed", reason="CLIENT_CLOSED")


def incomplete_response() -> VerdictError:
    """The error of an answer that lacks what every answer has."""
    return VerdictError("INTERNAL", "the server sent an incomplete response", reason="INCOMPLETE_RESPONSE")


def from_rpc_error(error: Any) -> VerdictError:
    """The error of a call. A proxy may have put anything into its trailers: what does not parse is passed over."""
    code: grpc.StatusCode = error.code()
    found = VerdictError(code.name, error.details() or "")
    for key, value in error.trailing_metadata() or ():
        if key == "x-request-id":
            found.request_id = value
        elif key == "grpc-status-details-bin":
            try:
                _read_details(found, contract.Status.FromString(value).details)
            except DecodeError:
                continue
    return found


_names = {code.value[0]: code.name for code in grpc.StatusCode}


def from_status(status: Any) -> VerdictError:
    """The error of one input, as a batch or a stream carries it."""
    found = VerdictError(_names.get(status.code, "UNKNOWN"), status.message)
    _read_details(found, status.details)
    return found


def _read_details(found: VerdictError, details: Iterable[Any]) -> None:
    for detail in details:
        name = detail.type_url.rpartition("/")[2]
        try:
            if name == "google.rpc.ErrorInfo":
                found.reason = contract.ErrorInfo.FromString(detail.value).reason
            elif name == "google.rpc.BadRequest":
                found.violations = tuple(
                    FieldViolation(violation.field, violation.description)
                    for violation in contract.BadRequest.FromString(detail.value).field_violations
                )
            elif name == "google.rpc.RetryInfo":
                delay = contract.RetryInfo.FromString(detail.value).retry_delay
                found.retry_after = max(0.0, delay.seconds + delay.nanos / 1e9)
            elif name == "google.rpc.RequestInfo":
                found.request_id = contract.RequestInfo.FromString(detail.value).request_id
        except DecodeError:
            continue
