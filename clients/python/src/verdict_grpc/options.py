"""How a client connects, and how it tries again."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import Callable, Dict, Mapping, Union

import grpc

from .errors import VerdictError, invalid_argument

DEFAULT_ADDRESS = "127.0.0.1:50051"
DEFAULT_TIMEOUT = 30.0
DEFAULT_MAX_RECEIVE_BYTES = 512 << 20

#: A value, or what gives it anew for each call.
ApiKey = Union[str, Callable[[], str], None]

#: What one call sends as headers. A key occurs once, in small letters.
Headers = Dict[str, Union[str, bytes]]

_PRINTABLE = re.compile(r"[!-~]+")
_HEADER_KEY = re.compile(r"[0-9A-Za-z_.-]+")
#: Proxies strip spaces at the ends, so that another value would arrive.
_HEADER_VALUE = re.compile(r"(?:[!-~](?:[ -~]*[!-~])?)?")


@dataclass(frozen=True)
class Tls:
    """PEM contents. Without `ca` the authorities that gRPC trusts count."""

    ca: bytes | None = None
    #: The client's own certificate, for mTLS; with `key`.
    cert: bytes | None = None
    key: bytes | None = None
    #: The name that the server's certificate is checked for, if it is not the address.
    server_name: str | None = None

    def credentials(self) -> grpc.ChannelCredentials:
        if (self.cert is None) != (self.key is None):
            raise invalid_argument("tls.cert and tls.key must be given together")
        return grpc.ssl_channel_credentials(self.ca, self.key, self.cert)


@dataclass(frozen=True)
class RetryPolicy:
    """How failed unary and batch calls are tried again."""

    #: Attempts in all, the first included; 1: no retry.
    max_attempts: int = 4
    #: Upper bound of the first pause, in seconds; it doubles with every attempt.
    initial_backoff: float = 0.05
    #: Upper bound of any pause, unless the server asks for a longer one.
    max_backoff: float = 2.0

    def pause(self, error: VerdictError, attempts: int, seconds_left: float) -> float | None:
        """Seconds until the next attempt; None if the error is final, or the pause would pass the deadline.

        RESOURCE_EXHAUSTED is load only if the server says when to come back; else it is a limit, which the same
        request would meet again.
        """
        is_transient = error.code == "UNAVAILABLE" or (
            error.code == "RESOURCE_EXHAUSTED" and error.retry_after is not None
        )
        if attempts >= self.max_attempts or not is_transient:
            return None
        bound = min(self.max_backoff, self.initial_backoff * 2.0 ** (attempts - 1))
        pause = (error.retry_after or 0.0) + random.random() * bound
        return pause if pause < seconds_left else None


def channel_options(
    tls: Tls | None, max_receive_bytes: int, http_proxy: bool
) -> list[tuple[str, str | int]]:
    options: list[tuple[str, str | int]] = [
        ("grpc.primary_user_agent", "verdict-python"),
        ("grpc.service_config", '{"loadBalancingConfig":[{"round_robin":{}}]}'),
        # The client's own retries obey RetryInfo.
        ("grpc.enable_retries", 0),
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 5_000),
        ("grpc.max_receive_message_length", max_receive_bytes),
        ("grpc.enable_http_proxy", int(http_proxy)),
    ]
    if tls is not None and tls.server_name is not None:
        options += [
            ("grpc.ssl_target_name_override", tls.server_name),
            ("grpc.default_authority", tls.server_name),
        ]
    return options


def checked_metadata(metadata: Mapping[str, str | bytes] | None) -> Headers:
    """The caller's headers. gRPC's own refusal would quote all headers of the call, the API key among them."""
    return {
        _header_key(key): _header_value(key, value) for key, value in dict(metadata or {}).items()
    }


def _header_key(key: str) -> str:
    if not isinstance(key, str):
        raise invalid_argument(f"metadata: a key must be a str, not {type(key).__name__}")
    if _HEADER_KEY.fullmatch(key) is None:
        raise invalid_argument(f"metadata: the key {key!r} may only hold letters, digits, '_', '.' and '-'")
    return key.lower()


def _header_value(key: str, value: str | bytes) -> str | bytes:
    if key.lower().endswith("-bin"):
        if not isinstance(value, bytes):
            raise invalid_argument(f"metadata: the value of {key!r} must be bytes")
    elif not isinstance(value, str) or _HEADER_VALUE.fullmatch(value) is None:
        raise invalid_argument(
            f"metadata: the value of {key!r} must be printable ASCII without spaces at its ends"
        )
    return value


def call_metadata(
    api_key: ApiKey,
    metadata: Headers,
    request_id: str | None,
    routing_key: str | None,
) -> Headers:
    """The headers of one call. A key that cannot be sent is refused without being quoted."""
    headers = dict(metadata)
    key = api_key() if callable(api_key) else api_key
    if key is not None:
        headers["authorization"] = f"Bearer {_printable('api_key', key)}"
    if request_id is not None:
        headers["x-request-id"] = _printable("request_id", request_id)
    if routing_key is not None:
        headers["verdict-routing-key"] = _printable("routing_key", routing_key)
    return headers


def checked_timeout(timeout: float) -> float:
    if not 0 < timeout < float("inf"):
        raise invalid_argument("timeout must be a positive number of seconds")
    return timeout


def _printable(name: str, value: str) -> str:
    if not isinstance(value, str) or _PRINTABLE.fullmatch(value) is None:
        raise invalid_argument(f"{name} must be printable ASCII without spaces")
    return value
