import {
  ModelConfigRequest,
  ModelConfigResponse,
  ModelInferRequest,
  ModelInferResponse,
  ModelMetadataRequest,
  ModelMetadataResponse,
  ModelReadyRequest,
  ModelReadyResponse,
  ModelStreamInferResponse,
  ServerLiveRequest,
  ServerLiveResponse,
  ServerMetadataRequest,
  ServerMetadataResponse,
  ServerReadyRequest,
  ServerReadyResponse,
} from '../../../generated/inference/grpc_service.js';
import { allServe } from '../model-health.js';
import type { OpenStreams } from '../open-streams.js';
import type { AnyRoute, Route } from '../route.js';
import { maxReceiveBytes, type RequestLimits, smallRequestBytes } from '../server-options.js';
import { traced } from '../traced.js';
import { UnaryCall } from '../unary.js';
import { checkModel, checkVersion, refuse, type Violations } from '../validation.js';
import { inferJobFrom } from './infer-request.js';
import { InferStream, type InferStreamContext } from './infer-stream.js';
import { Inference, type InferenceParts } from './inference.js';
import { modelConfig, modelMetadata, versionOf, viewOf } from './model-index.js';
import { type RepositoryParts, repositoryRoutes } from './repository.js';
import { openInferenceServiceName } from './service-name.js';

export interface OpenInferenceParts extends InferenceParts, RepositoryParts {
  readonly limits: RequestLimits;
  readonly streamWindow: number;
  readonly defaultDeadlineMs: number;
  readonly streams: OpenStreams;
  /** Of the server. */
  readonly version: string;
}

/** What of the protocol's extensions is here; `schedule_policy` is `priority` and `timeout`, `binary_tensor_data` is for HTTP. */
const extensions = ['binary_tensor_data', 'model_repository', 'schedule_policy', 'parameters'];

const service = openInferenceServiceName;

/** The Open Inference Protocol, beside ClassifierService and onto the same classifier. */
export function openInferenceRoutes(parts: OpenInferenceParts): AnyRoute[] {
  const { catalog, access, limits, streams, version } = parts;
  const inference = new Inference(parts);

  const modelInfer: Route<ModelInferRequest, ModelInferResponse> = {
    service,
    method: 'ModelInfer',
    shape: 'unary',
    requestType: ModelInferRequest,
    responseType: ModelInferResponse,
    maxRequestBytes: maxReceiveBytes(limits),
    open: (call) =>
      new UnaryCall(call, (request) => {
        const job = traced(call, 'validate', () => inferJobFrom(request, limits));
        const serviceClass = job.inputs.length === 1 ? 'interactive' : 'bulk';
        return inference.infer(job, call, { serviceClass, deadlineAt: call.deadlineAt, whenFull: 'refuse' });
      }),
  };

  const context: InferStreamContext = {
    inference,
    limits,
    window: parts.streamWindow,
    requestDeadlineMs: parts.defaultDeadlineMs,
    onClose: streams.closed,
  };
  const modelStreamInfer: Route<ModelInferRequest, ModelStreamInferResponse> = {
    service,
    method: 'ModelStreamInfer',
    shape: 'bidi',
    requestType: ModelInferRequest,
    responseType: ModelStreamInferResponse,
    maxRequestBytes: maxReceiveBytes(limits),
    open: (call) => {
      const stream = new InferStream(call, context);
      streams.opened();
      return stream;
    },
  };

  return [
    modelInfer,
    modelStreamInfer,
    ...infoRoutes({ catalog, access, version }),
    ...repositoryRoutes(parts),
  ];
}

/** The methods that tell of the server and its models. */
function infoRoutes({
  catalog,
  access,
  version,
}: Pick<OpenInferenceParts, 'catalog' | 'access' | 'version'>): AnyRoute[] {
  const serverLive: Route<ServerLiveRequest, ServerLiveResponse> = {
    service,
    method: 'ServerLive',
    shape: 'unary',
    requestType: ServerLiveRequest,
    responseType: ServerLiveResponse,
    maxRequestBytes: smallRequestBytes,
    open: (call) => new UnaryCall(call, () => ({ live: true })),
  };

  const serverReady: Route<ServerReadyRequest, ServerReadyResponse> = {
    service,
    method: 'ServerReady',
    shape: 'unary',
    requestType: ServerReadyRequest,
    responseType: ServerReadyResponse,
    maxRequestBytes: smallRequestBytes,
    open: (call) => new UnaryCall(call, () => ({ ready: allServe(catalog) })),
  };

  const serverMetadata: Route<ServerMetadataRequest, ServerMetadataResponse> = {
    service,
    method: 'ServerMetadata',
    shape: 'unary',
    requestType: ServerMetadataRequest,
    responseType: ServerMetadataResponse,
    maxRequestBytes: smallRequestBytes,
    open: (call) => new UnaryCall(call, () => ({ name: 'verdict', version, extensions })),
  };

  const modelReady: Route<ModelReadyRequest, ModelReadyResponse> = {
    service,
    method: 'ModelReady',
    shape: 'unary',
    requestType: ModelReadyRequest,
    responseType: ModelReadyResponse,
    maxRequestBytes: smallRequestBytes,
    open: (call) =>
      new UnaryCall(call, (asked) => {
        checkNamed(asked);
        access.check(call.identity, asked.name);
        const view = catalog
          .list()
          .find(({ name, isDefault }) => (asked.name === '' ? isDefault : name === asked.name));
        return { ready: view !== undefined && versionOf(view, asked.version)?.state === 'serving' };
      }),
  };

  const modelMetadataRoute: Route<ModelMetadataRequest, ModelMetadataResponse> = {
    service,
    method: 'ModelMetadata',
    shape: 'unary',
    requestType: ModelMetadataRequest,
    responseType: ModelMetadataResponse,
    maxRequestBytes: smallRequestBytes,
    open: (call) =>
      new UnaryCall(call, (asked) => {
        checkNamed(asked);
        access.check(call.identity, asked.name);
        return modelMetadata(viewOf(catalog, asked.name), asked.version);
      }),
  };

  const modelConfigRoute: Route<ModelConfigRequest, ModelConfigResponse> = {
    service,
    method: 'ModelConfig',
    shape: 'unary',
    requestType: ModelConfigRequest,
    responseType: ModelConfigResponse,
    maxRequestBytes: smallRequestBytes,
    open: (call) =>
      new UnaryCall(call, (asked) => {
        checkNamed(asked);
        access.check(call.identity, asked.name);
        return { config: modelConfig(viewOf(catalog, asked.name), asked.version) };
      }),
  };

  return [serverLive, serverReady, serverMetadata, modelReady, modelMetadataRoute, modelConfigRoute];
}

/** @throws VerdictError invalid_argument */
function checkNamed({ name, version }: { readonly name: string; readonly version: string }): void {
  const violations: Violations = [];
  checkModel(name, 'name', violations);
  checkVersion(version, 'version', violations);
  refuse(violations);
}
