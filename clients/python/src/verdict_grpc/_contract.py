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
BatchClassifyResponse = message("verdict.v1.BatchClassifyResponse")
ClassifyStreamRequest = message("verdict.v1.ClassifyStreamRequest")
ClassifyStreamResponse = message("verdict.v1.ClassifyStreamResponse")
ListModelsRequest = message("verdict.v1.ListModelsRequest")
ListModelsResponse = message("verdict.v1.ListModelsResponse")
HealthCheckRequest = message("grpc.health.v1.HealthCheckRequest")
HealthCheckResponse = message("grpc.health.v1.HealthCheckResponse")

Status = message("google.rpc.Status")
ErrorInfo = message("google.rpc.ErrorInfo")
BadRequest = message("google.rpc.BadRequest")
RetryInfo = message("google.rpc.RetryInfo")
RequestInfo = message("google.rpc.RequestInfo")

CLASSIFY = "/verdict.v1.ClassifierService/Classify"
BATCH_CLASSIFY = "/verdict.v1.ClassifierService/BatchClassify"
CLASSIFY_STREAM = "/verdict.v1.ClassifierService/ClassifyStream"
LIST_MODELS = "/verdict.v1.ModelService/ListModels"
HEALTH_CHECK = "/grpc.health.v1.Health/Check"

#: The class of the answer to each call.
RESPONSES: dict[str, Any] = {
    CLASSIFY: ClassifyResponse,
    BATCH_CLASSIFY: BatchClassifyResponse,
    CLASSIFY_STREAM: ClassifyStreamResponse,
    LIST_MODELS: ListModelsResponse,
    HEALTH_CHECK: HealthCheckResponse,
}


def serialize(sent: Any) -> bytes:
    """The bytes of a message."""
    return bytes(sent.SerializeToString())
