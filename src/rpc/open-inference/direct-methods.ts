import {
  DataType,
  ModelConfigRequest,
  ModelConfigResponse,
  ModelInferRequest,
  ModelInferResponse,
  ModelMetadataRequest,
  ModelMetadataResponse,
  ModelReadyRequest,
  ModelReadyResponse,
  RepositoryIndexRequest,
  RepositoryIndexResponse,
  RepositoryModelLoadRequest,
  RepositoryModelLoadResponse,
  RepositoryModelUnloadRequest,
  RepositoryModelUnloadResponse,
  ServerLiveRequest,
  ServerLiveResponse,
  ServerMetadataRequest,
  ServerMetadataResponse,
  ServerReadyRequest,
  ServerReadyResponse,
} from '../../../generated/inference/grpc_service.js';
import { type MessageType, serializer } from '../codec.js';
import type { DirectMethod } from '../direct-caller.js';
import { openInferenceServiceName } from './service-name.js';

export type {
  InferParameter,
  ModelInferRequest,
  ModelInferRequest_InferInputTensor as InputTensor,
  ModelInferRequest_InferRequestedOutputTensor as RequestedOutputTensor,
  ModelInferResponse,
} from '../../../generated/inference/grpc_service.js';

/** The unary methods of the protocol, for callers in this process. */
export const directMethods = {
  serverLive: method('ServerLive', ServerLiveRequest, ServerLiveResponse),
  serverReady: method('ServerReady', ServerReadyRequest, ServerReadyResponse),
  serverMetadata: method('ServerMetadata', ServerMetadataRequest, ServerMetadataResponse),
  modelReady: method('ModelReady', ModelReadyRequest, ModelReadyResponse),
  modelMetadata: method('ModelMetadata', ModelMetadataRequest, ModelMetadataResponse),
  modelConfig: method('ModelConfig', ModelConfigRequest, ModelConfigResponse),
  modelInfer: method('ModelInfer', ModelInferRequest, ModelInferResponse),
  repositoryIndex: method('RepositoryIndex', RepositoryIndexRequest, RepositoryIndexResponse),
  load: method('RepositoryModelLoad', RepositoryModelLoadRequest, RepositoryModelLoadResponse),
  unload: method('RepositoryModelUnload', RepositoryModelUnloadRequest, RepositoryModelUnloadResponse),
};

/** The name of a type in a model's configuration: `TYPE_STRING`. */
export function dataTypeName(type: DataType): string {
  return Object.entries(DataType).find(([, number]) => number === type)?.[0] ?? 'TYPE_INVALID';
}

function method<Req, Res>(
  name: string,
  requestType: MessageType<Req>,
  responseType: MessageType<Res>,
): DirectMethod<Req, Res> {
  return {
    path: `/${openInferenceServiceName}/${name}`,
    encode: serializer(requestType),
    decode: (bytes) => responseType.decode(bytes),
  };
}
