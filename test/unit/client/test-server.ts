import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { ErrorInfo, RetryInfo } from '../../../generated/google/rpc/error_details.js';
import { Status } from '../../../generated/google/rpc/status.js';
import {
  HealthService,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '../../../generated/grpc/health/v1/health.js';
import {
  CacheServiceService,
  type ForgetRequest,
  type ForgetResponse,
} from '../../../generated/verdict/v1/cache_service.js';
import { CacheOutcome, type Classification } from '../../../generated/verdict/v1/classification.js';
import {
  type BatchClassifyRequest,
  type BatchClassifyResponse,
  ClassifierServiceService,
  type ClassifyRequest,
  type ClassifyResponse,
  type ClassifyStreamRequest,
  type ClassifyStreamResponse,
} from '../../../generated/verdict/v1/classifier_service.js';
import {
  type ListModelsResponse,
  ModelServiceService,
  type ReloadModelsResponse,
} from '../../../generated/verdict/v1/model_service.js';
import type {
  GetModelStatisticsRequest,
  GetModelStatisticsResponse,
} from '../../../generated/verdict/v1/model_statistics.js';

export type StreamCall = ServerDuplexStream<ClassifyStreamRequest, ClassifyStreamResponse>;

/** What a test decides; all the rest answers with `classification()`. */
export interface Behaviour {
  classify?(
    call: ServerUnaryCall<ClassifyRequest, ClassifyResponse>,
  ): ClassifyResponse | ServiceError | undefined;
  batchClassify?(request: BatchClassifyRequest): BatchClassifyResponse | ServiceError;
  classifyStream?: (call: StreamCall) => void;
  listModels?(): ListModelsResponse;
  getModelStatistics?(request: GetModelStatisticsRequest): GetModelStatisticsResponse;
  reloadModels?(): ReloadModelsResponse;
  forget?(request: ForgetRequest): ForgetResponse | ServiceError;
  health?(service: string): 'serving' | 'not_serving' | 'not_found';
}

export interface TestServer {
  readonly address: string;
  readonly port: number;
  close(): void;
}

/** A grpc-js server that speaks the contract and does as the test says. */
export async function startTestServer(
  behaviour: Behaviour = {},
  credentials = ServerCredentials.createInsecure(),
): Promise<TestServer> {
  const server = new Server();
  server.addService(ClassifierServiceService, {
    classify(
      call: ServerUnaryCall<ClassifyRequest, ClassifyResponse>,
      callback: (error: ServiceError | null, response?: ClassifyResponse) => void,
    ) {
      const outcome = behaviour.classify ? behaviour.classify(call) : { classification: classification() };
      if (outcome === undefined) return;
      if (outcome instanceof Error) callback(outcome);
      else callback(null, outcome);
    },
    batchClassify(
      { request }: ServerUnaryCall<BatchClassifyRequest, BatchClassifyResponse>,
      callback: (error: ServiceError | null, response?: BatchClassifyResponse) => void,
    ) {
      const outcome = behaviour.batchClassify?.(request) ?? { results: request.inputs.map(answered) };
      if (outcome instanceof Error) callback(outcome);
      else callback(null, outcome);
    },
    classifyStream: (call: StreamCall) => (behaviour.classifyStream ?? echo)(call),
  });
  server.addService(ModelServiceService, {
    listModels: (_call: unknown, callback: (error: null, response: ListModelsResponse) => void) =>
      callback(null, behaviour.listModels?.() ?? { models: [] }),
    getModelStatistics: (
      { request }: ServerUnaryCall<GetModelStatisticsRequest, GetModelStatisticsResponse>,
      callback: (error: null, response: GetModelStatisticsResponse) => void,
    ) => callback(null, behaviour.getModelStatistics?.(request) ?? { versions: [] }),
    reloadModels: (_call: unknown, callback: (error: null, response: ReloadModelsResponse) => void) =>
      callback(null, behaviour.reloadModels?.() ?? { reloads: [] }),
    getModel: (_call: unknown, callback: (error: ServiceError) => void) =>
      callback(grpcError(status.NOT_FOUND, 'There is no such model')),
  });
  server.addService(CacheServiceService, {
    forget(
      { request }: ServerUnaryCall<ForgetRequest, ForgetResponse>,
      callback: (error: ServiceError | null, response?: ForgetResponse) => void,
    ) {
      const outcome = behaviour.forget?.(request) ?? forgotten();
      if (outcome instanceof Error) callback(outcome);
      else callback(null, outcome);
    },
  });
  server.addService(HealthService, {
    check(
      call: ServerUnaryCall<{ service: string }, { status: ServingStatus }>,
      callback: (error: ServiceError | null, response?: { status: ServingStatus }) => void,
    ) {
      const found = behaviour.health?.(call.request.service) ?? 'serving';
      if (found === 'not_found') callback(grpcError(status.NOT_FOUND, 'unknown service'));
      else
        callback(null, { status: found === 'serving' ? ServingStatus.SERVING : ServingStatus.NOT_SERVING });
    },
    list: () => undefined,
    watch: () => undefined,
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  return { address: `127.0.0.1:${port}`, port, close: () => server.forceShutdown() };
}

export function classification(overrides: Partial<Classification> = {}): Classification {
  return {
    predictions: [{ label: 'POSITIVE', score: 0.75, index: 1 }],
    model: 'sentiment',
    version: '1',
    alias: '',
    tokenCount: 5,
    truncated: false,
    cache: CacheOutcome.MISS,
    timings: { tokenizeMs: 1, queueMs: 2, inferenceMs: 3, totalMs: 6, batchSize: 4 },
    ...overrides,
  };
}

export function forgotten(overrides: Partial<ForgetResponse> = {}): ForgetResponse {
  return {
    versions: [{ model: 'sentiment', version: '1', digest: 'sha256:00' }],
    ...{ removedFromMemory: 1, removedFromRedis: 2, othersExpireSeconds: 3_960 },
    ...overrides,
  };
}

function answered() {
  return { outcome: { $case: 'classification' as const, value: classification() } };
}

/** Answers every input of a stream at once, in order; settings are passed over. */
export function echo(call: StreamCall): void {
  let index = 0;
  call.on('data', (request: ClassifyStreamRequest) => {
    if (request.input === undefined) return;
    call.write({ id: request.id, index: index++, ...answered() });
  });
  call.on('end', () => call.end());
}

/** A gRPC error, with the google.rpc details that Verdict sends. */
export function grpcError(
  code: number,
  message: string,
  details: { readonly reason?: string; readonly retryAfterMs?: number } = {},
): ServiceError {
  const metadata = new Metadata();
  metadata.set(
    'grpc-status-details-bin',
    Buffer.from(Status.encode(richStatus(code, message, details)).finish()),
  );
  return Object.assign(new Error(message), { code, details: message, metadata });
}

/** A google.rpc.Status with details. */
export function richStatus(
  code: number,
  message: string,
  { reason, retryAfterMs }: { readonly reason?: string; readonly retryAfterMs?: number },
): Status {
  const details: Status['details'] = [];
  if (reason !== undefined) {
    const value = Buffer.from(
      ErrorInfo.encode(ErrorInfo.fromPartial({ reason, domain: 'verdict' })).finish(),
    );
    details.push({ typeUrl: 'type.googleapis.com/google.rpc.ErrorInfo', value });
  }
  if (retryAfterMs !== undefined) {
    const retryDelay = {
      seconds: BigInt(Math.floor(retryAfterMs / 1000)),
      nanos: Math.round((retryAfterMs % 1000) * 1e6),
    };
    const value = Buffer.from(RetryInfo.encode(RetryInfo.fromPartial({ retryDelay })).finish());
    details.push({ typeUrl: 'type.googleapis.com/google.rpc.RetryInfo', value });
  }
  return { code, message, details };
}
