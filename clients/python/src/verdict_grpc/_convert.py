"""Between the contract's messages and the types of this client."""

from __future__ import annotations

from typing import Any, Iterable

from . import _contract as contract
from .errors import VerdictError, from_status, invalid_argument
from .types import (
    BatchResult,
    Classification,
    ClassifyOptions,
    Input,
    Model,
    ModelVersion,
    Pair,
    Prediction,
    Timings,
)

_CACHE = {1: "miss", 2: "lru", 3: "redis", 4: "coalesced", 5: "bypassed"}


def classify_request(given: Input, model: str, version: str, options: ClassifyOptions | None) -> Any:
    request = contract.ClassifyRequest(model=model, version=version)
    set_input(request, given)
    set_options(request.options, options)
    return request


def batch_request(
    inputs: Iterable[Input], model: str, version: str, options: ClassifyOptions | None
) -> Any:
    request = contract.BatchClassifyRequest(model=model, version=version)
    for given in inputs:
        set_input(request.inputs.add(), given)
    set_options(request.options, options)
    return request


def stream_request(given: Input, model: str, version: str) -> Any:
    request = contract.ClassifyStreamRequest(model=model, version=version)
    set_input(request, given)
    return request


def stream_settings(order: str, options: ClassifyOptions | None) -> Any:
    orders = {"request": "STREAM_ORDER_REQUEST", "completion": "STREAM_ORDER_COMPLETION"}
    if order not in orders:
        raise invalid_argument("order must be request or completion")
    request = contract.ClassifyStreamRequest(settings={"order": orders[order]})
    set_options(request.settings.default_options, options)
    return request


def set_input(request: Any, given: object) -> None:
    """Raises VerdictError, without the input, if it is neither a text nor a pair, or holds half a character."""
    try:
        if isinstance(given, str):
            request.text = given
        elif isinstance(given, Pair):
            request.pair.text = given.text
            request.pair.text_pair = given.text_pair
        else:
            raise invalid_argument(f"an input must be a str or a Pair, not {type(given).__name__}")
    except (UnicodeEncodeError, TypeError, ValueError):
        raise invalid_argument("a text must be a str of whole characters") from None


def set_options(message: Any, options: ClassifyOptions | None) -> None:
    if options is None:
        return
    message.SetInParent()
    try:
        if options.top_k is not None:
            message.top_k = options.top_k
        if options.min_score is not None:
            message.min_score = options.min_score
        for name in ("activation", "truncation", "cache"):
            value = getattr(options, name)
            if value is not None:
                prefix = "CACHE_MODE" if name == "cache" else name.upper()
                field = message.DESCRIPTOR.fields_by_name[name]
                setattr(message, name, field.enum_type.values_by_name[f"{prefix}_{value.upper()}"].number)
    except (KeyError, TypeError, ValueError) as error:
        raise invalid_argument(f"options: {error}") from None


def to_classification(message: Any) -> Classification:
    timings = message.timings
    return Classification(
        predictions=tuple(
            Prediction(prediction.label, prediction.score, prediction.index)
            for prediction in message.predictions
        ),
        model=message.model,
        version=message.version,
        alias=message.alias,
        token_count=message.token_count,
        truncated=message.truncated,
        cache=_CACHE.get(message.cache, "unknown"),
        timings=Timings(
            timings.tokenize_ms,
            timings.queue_ms,
            timings.inference_ms,
            timings.total_ms,
            timings.batch_size,
        ),
    )


def to_outcome(message: Any) -> tuple[Classification | None, VerdictError | None]:
    outcome = message.WhichOneof("outcome")
    if outcome == "classification":
        return to_classification(message.classification), None
    if outcome == "error":
        return None, from_status(message.error)
    raise VerdictError("INTERNAL", "the server sent an incomplete response", reason="INCOMPLETE_RESPONSE")


def to_batch(message: Any, sent: int) -> list[BatchResult]:
    if len(message.results) != sent:
        raise VerdictError(
            "INTERNAL", "the server sent an incomplete response", reason="INCOMPLETE_RESPONSE"
        )
    return [BatchResult(*to_outcome(result)) for result in message.results]


def to_models(message: Any) -> list[Model]:
    return [
        Model(
            name=model.name,
            is_default=model.is_default,
            versions=tuple(
                ModelVersion(version.version, tuple(version.labels), version.limits.max_tokens)
                for version in model.versions
            ),
        )
        for model in message.models
    ]
