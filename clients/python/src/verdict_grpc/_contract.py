"""The messages of the contract, made from its descriptors.

They live in a pool of their own: code that protoc made of the same contract, or of another version of it, may be loaded
beside this, and the protobuf library may be newer or older than the one that a generator was made for.
"""

from importlib.resources import files
from typing import Any

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import FileDescriptorSet

_pool = descriptor_pool.DescriptorPool()
for _file in FileDescriptorSet.FromString(
    files(__package__).joinpath("contract.binpb").read_bytes()
).file:
    _pool.AddSerializedFile(_file.SerializeToString())


def message(name: str) -> Any:
    """The class of a message, by its full name."""
    return message_factory.GetMessageClass(_pool.FindMessageTypeByName(name))


ClassifyRequest = message("verdict.v1.ClassifyRequest")
ClassifyResponse = message("verdict.v1.ClassifyResponse")
BatchClassifyRequest = message("verdict.v1.BatchClassifyRequest")
ClassifyStreamRequest = message("verdict.v1.ClassifyStreamRequest")
ClassifyStreamResponse = message("verdict.v1.ClassifyStreamResponse")
ListModelsRequest = message("verdict.v1.ListModelsRequest")
HealthCheckRequest = message("grpc.health.v1.HealthCheckRequest")

Status = message("google.rpc.Status")
ErrorInfo = message("google.rpc.ErrorInfo")
BadRequest = message("google.rpc.BadRequest")
RetryInfo = message("google.rpc.RetryInfo")
RequestInfo = message("google.rpc.RequestInfo")

CLASSIFY = "/verdict.v1.ClassifierService/Classify"
BATCH_CLASSIFY = "/verdict.v1.ClassifierService/BatchClassify"
CLASSIFY_STREAM = "/verdict.v1.ClassifierService/ClassifyStream"
LIST_MODELS = "/verdict.v1.ModelService/ListModels"
GET_MODEL = "/verdict.v1.ModelService/GetModel"
GET_MODEL_STATISTICS = "/verdict.v1.ModelService/GetModelStatistics"
GET_MODEL_COMPARISON = "/verdict.v1.ModelService/GetModelComparison"
RELOAD_MODELS = "/verdict.v1.ModelService/ReloadModels"
LOAD_MODEL = "/verdict.v1.ModelService/LoadModel"
UNLOAD_MODEL = "/verdict.v1.ModelService/UnloadModel"
SET_TRAFFIC = "/verdict.v1.ModelService/SetTraffic"
SET_ALIAS = "/verdict.v1.ModelService/SetAlias"
DELETE_ALIAS = "/verdict.v1.ModelService/DeleteAlias"
SET_SHADOW = "/verdict.v1.ModelService/SetShadow"
SET_ROLLBACK = "/verdict.v1.ModelService/SetRollback"
DELETE_ROLLBACK = "/verdict.v1.ModelService/DeleteRollback"
FORGET = "/verdict.v1.CacheService/Forget"
HEALTH_CHECK = "/grpc.health.v1.Health/Check"

#: The calls with one request and one answer.
UNARY = (
    CLASSIFY,
    BATCH_CLASSIFY,
    LIST_MODELS,
    GET_MODEL,
    GET_MODEL_STATISTICS,
    GET_MODEL_COMPARISON,
    RELOAD_MODELS,
    LOAD_MODEL,
    UNLOAD_MODEL,
    SET_TRAFFIC,
    SET_ALIAS,
    DELETE_ALIAS,
    SET_SHADOW,
    SET_ROLLBACK,
    DELETE_ROLLBACK,
    FORGET,
    HEALTH_CHECK,
)


def _method(path: str) -> Any:
    _, service, name = path.split("/")
    return _pool.FindServiceByName(service).methods_by_name[name]


#: The classes of the request of each call with one, and of its answer.
REQUESTS: dict[str, Any] = {path: message(_method(path).input_type.full_name) for path in UNARY}
RESPONSES: dict[str, Any] = {path: message(_method(path).output_type.full_name) for path in UNARY}


def serialize(sent: Any) -> bytes:
    """The bytes of a message."""
    return bytes(sent.SerializeToString())
