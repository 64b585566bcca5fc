"""The Python client of Verdict, a gRPC service that classifies text."""

from .aio import AsyncVerdictClient
from .client import VerdictClient
from .errors import FieldViolation, VerdictError
from .options import RetryPolicy, Tls
from .types import (
    BatchResult,
    Classification,
    ClassifyOptions,
    Input,
    Model,
    ModelVersion,
    Pair,
    Prediction,
    StreamResult,
    Timings,
)

__all__ = [
    "AsyncVerdictClient",
    "BatchResult",
    "Classification",
    "ClassifyOptions",
    "FieldViolation",
    "Input",
    "Model",
    "ModelVersion",
    "Pair",
    "Prediction",
    "RetryPolicy",
    "StreamResult",
    "Timings",
    "Tls",
    "VerdictClient",
    "VerdictError",
]
