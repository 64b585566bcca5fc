"""The Python client of Verdict, a gRPC service that classifies text."""

from importlib.metadata import version as _version

from .administration_types import Forgotten, ForgottenVersion, LabelFlips, ModelReload, WarmUp
from .aio import AsyncVerdictClient
from .client import VerdictClient
from .errors import FieldViolation, VerdictError
from .model_types import Model, ModelShadow, ModelVersion, Rollback, RollbackRule
from .options import RetryPolicy, Tls
from .statistics_types import (
    BatchStatistics,
    CacheStatistics,
    FlippedLabel,
    LabelComparison,
    StageStatistics,
    StageTime,
    VersionComparison,
    VersionStatistics,
)
from .types import (
    BatchResult,
    Classification,
    ClassifyOptions,
    Input,
    Pair,
    Prediction,
    StreamResult,
    Timings,
)

__version__ = _version("verdict-grpc")

__all__ = [
    "AsyncVerdictClient",
    "BatchResult",
    "BatchStatistics",
    "CacheStatistics",
    "Classification",
    "ClassifyOptions",
    "FieldViolation",
    "FlippedLabel",
    "Forgotten",
    "ForgottenVersion",
    "Input",
    "LabelComparison",
    "LabelFlips",
    "Model",
    "ModelReload",
    "ModelShadow",
    "ModelVersion",
    "Pair",
    "Prediction",
    "RetryPolicy",
    "Rollback",
    "RollbackRule",
    "StageStatistics",
    "StageTime",
    "StreamResult",
    "Timings",
    "Tls",
    "VerdictClient",
    "VerdictError",
    "VersionComparison",
    "VersionStatistics",
    "WarmUp",
    "__version__",
]
