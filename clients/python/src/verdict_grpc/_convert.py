"""Between the contract's messages and the types of this client."""

from __future__ import annotations

from typing import Any, Iterable

from google.protobuf.descriptor import FieldDescriptor

from . import _contract as contract
from .errors import VerdictError, from_status, incomplete_response, invalid_argument
from .types import (
    BatchResult,
    Classification,
    ClassifyOptions,
    Input,
    Pair,
    Prediction,
    StreamOrder,
    Timings,
)

#: What fields take, by their types in the contract.
_KINDS = {
    FieldDescriptor.CPPTYPE_STRING: "a str of whole characters",
    FieldDescriptor.CPPTYPE_UINT32: "a whole number from 0 to 4294967295",
    FieldDescriptor.CPPTYPE_DOUBLE: "a number",
    FieldDescriptor.CPPTYPE_FLOAT: "a number",
}

_CACHE = {1: "miss", 2: "lru", 3: "redis", 4: "coalesced", 5: "bypassed"}


def classify_request(given: Input, model: str, version: str, options: ClassifyOptions | None) -> Any:
    request = contract.ClassifyRequest()
    set_fields(request, model=model, version=version)
    set_input(request, given)
    set_options(request.options, options)
    return request


def batch_request(
    inputs: Iterable[Input], model: str, version: str, options: ClassifyOptions | None
) -> Any:
    refuse_one_text(inputs)
    request = contract.BatchClassifyRequest()
    set_fields(request, model=model, version=version)
    for given in inputs:
        set_input(request.inputs.add(), given)
    set_options(request.options, options)
    return request


def stream_request(given: Input, model: str, version: str) -> Any:
    request = contract.ClassifyStreamRequest()
    set_fields(request, model=model, version=version)
    set_input(request, given)
    return request


def stream_settings(order: StreamOrder, options: ClassifyOptions | None) -> Any:
    orders = {"request": "STREAM_ORDER_REQUEST", "completion": "STREAM_ORDER_COMPLETION"}
    if order not in orders:
        raise invalid_argument("order must be request or completion")
    request = contract.ClassifyStreamRequest(settings={"order": orders[order]})
    set_options(request.settings.default_options, options)
    return request


def set_fields(request: Any, **values: object) -> None:
    """Sets strings and numbers; None leaves a field out. Raises VerdictError that names a field and not its value."""
    for name, value in values.items():
        if value is None:
            continue
        try:
            setattr(request, name, value)
        except (TypeError, ValueError, OverflowError):
            kind = request.DESCRIPTOR.fields_by_name[name].cpp_type
            raise invalid_argument(f"{name} must be {_KINDS[kind]}") from None


def refuse_one_text(inputs: object) -> None:
    """A str is a sequence too: of its characters."""
    if isinstance(inputs, str):
        raise invalid_argument("inputs must be a list or another iterable of inputs, not one str")


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
    """Raises VerdictError that names an option and what it takes, and not its value."""
    if options is None:
        return
    if not isinstance(options, ClassifyOptions):
        raise invalid_argument(f"options must be ClassifyOptions, not {type(options).__name__}")
    message.SetInParent()
    set_fields(message, top_k=options.top_k, min_score=options.min_score)
    for name in ("activation", "truncation", "cache"):
        value = getattr(options, name)
        if value is None:
            continue
        choices = _choices(message.DESCRIPTOR.fields_by_name[name].enum_type)
        if not isinstance(value, str) or value not in choices:
            raise invalid_argument(f"{name} must be one of {', '.join(choices)}")
        setattr(message, name, choices[value])


def _choices(enum: Any) -> dict[str, int]:
    """The values of an enum of the contract by the names that options take. None stands for the unspecified one."""
    prefix = len(enum.values_by_number[0].name) - len("UNSPECIFIED")
    return {value.name[prefix:].lower(): value.number for value in enum.values if value.number != 0}


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
    raise incomplete_response()


def to_batch(message: Any, sent: int) -> list[BatchResult]:
    if len(message.results) != sent:
        raise incomplete_response()
    return [BatchResult(*to_outcome(result)) for result in message.results]
