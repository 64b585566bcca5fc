import { readFileSync } from 'node:fs';
import { credentials, type Metadata, type ServiceError } from '@grpc/grpc-js';
import { HealthClient } from '../../../generated/grpc/health/v1/health.js';
import { GRPCInferenceServiceClient } from '../../../generated/inference/grpc_service.js';
import { PredictClient } from '../../../generated/tei/v1/tei.js';
import { CacheServiceClient } from '../../../generated/verdict/v1/cache_service.js';
import {
  type BatchClassifyResponse,
  ClassifierServiceClient,
  type ClassifyResponse,
  type ClassifyStreamResponse,
} from '../../../generated/verdict/v1/classifier_service.js';
import { ModelServiceClient } from '../../../generated/verdict/v1/model_service.js';
import type { CacheSharing } from '../../../src/auth/cache-sharing.js';
import type {
  Classification,
  ForgetRequest,
  Forgotten,
  InputClaim,
  InputRequest,
} from '../../../src/classify/types.js';
import type { ComparisonCatalog } from '../../../src/comparison/types.js';
import type { MaybePromise } from '../../../src/concurrency/maybe-promise.js';
import { VerdictError } from '../../../src/errors.js';
import type {
  ModelCatalog,
  ModelLoads,
  ModelReloads,
  ModelView,
  RoutingChanges,
} from '../../../src/models/types.js';
import type { RateLimiter } from '../../../src/ratelimit/rate-limiter.js';
import type { Interceptor } from '../../../src/rpc/interceptor.js';
import { serviceRoutes } from '../../../src/rpc/routes.js';
import { RpcServer } from '../../../src/rpc/server.js';
import type { RpcServerOptions } from '../../../src/rpc/server-options.js';
import type { HandledCall } from '../../../src/rpc/types.js';
import type { StatisticsReader } from '../../../src/statistics/types.js';

export type Classify = (item: InputRequest, caller: InputClaim) => MaybePromise<Classification>;

/** The longest that a test of this folder may take: a call that hangs fails its test. */
export const timeout = 10_000;

export const descriptorSet = readFileSync('generated/descriptor.binpb');

/** An answer that names the text it is for in its label. */
export function answerTo(item: InputRequest, cache: Classification['cache'] = 'lru'): Classification {
  return {
    predictions: [{ label: item.input.text, score: 0.5, index: 0 }],
    logits: Float32Array.of(0.5),
    model: item.model || 'sentiment',
    version: item.version || '1',
    alias: '',
    tokenCount: 3,
    truncated: false,
    cache,
    timings: { tokenizeMs: 0, queueMs: 0, inferenceMs: 0, batchSize: 0, totalMs: 0.25 },
  };
}

/** A classifier whose answers come when the test says so, by text. */
export class HeldClassifier {
  readonly callers = new Map<string, InputClaim>();
  readonly #held = new Map<
    string,
    { resolve: (value: Classification) => void; reject: (e: unknown) => void }
  >();
  readonly #items = new Map<string, InputRequest>();
  readonly #waiting = new Map<string, () => void>();

  readonly classify: Classify = (item, caller) => {
    const { text } = item.input;
    this.callers.set(text, caller);
    this.#items.set(text, item);
    return new Promise((resolve, reject) => {
      this.#held.set(text, { resolve, reject });
      this.#waiting.get(text)?.();
    });
  };

  /** Resolves once the text has been asked for. */
  arrived(text: string): Promise<void> {
    return new Promise((resolve) => {
      if (this.#held.has(text)) resolve();
      else this.#waiting.set(text, resolve);
    });
  }

  answer(text: string): void {
    const item = this.#items.get(text);
    if (item === undefined) throw new Error(`nobody asked for ${text}`);
    this.#held.get(text)?.resolve(answerTo(item, 'miss'));
  }

  fail(text: string, error: unknown): void {
    this.#held.get(text)?.reject(error);
  }
}

/** Models whose states the test changes. */
export class TestCatalog implements ModelCatalog {
  models: ModelView[];
  readonly #listeners = new Set<() => void>();

  constructor(models: ModelView[] = [modelView('sentiment', '1')]) {
    this.models = models;
  }

  list(): ModelView[] {
    return this.models;
  }

  get(name: string): ModelView {
    const found = this.models.find((model) => model.name === name);
    if (found !== undefined) return found;
    throw new VerdictError('not_found', 'model: unknown', {
      reason: 'MODEL_NOT_FOUND',
      resource: { type: 'model', name },
    });
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  change(...models: ModelView[]): void {
    this.models = models;
    for (const listener of this.#listeners) listener();
  }
}

export function modelView(name: string, servingVersion: string): ModelView {
  const isDefault = name === 'sentiment';
  return {
    ...{ name, isDefault, isPinned: isDefault, servingVersion, loaded: true },
    ...{ versions: [], traffic: [], aliases: [] },
  };
}

const nothingForgotten: Forgotten = { versions: [], fromMemory: 0, fromRedis: 0, othersExpireSeconds: 0 };

const unchangedRouting: RoutingChanges = {
  setTraffic: async (model) => modelView(model, '1'),
  setAlias: async (model) => modelView(model, '1'),
  deleteAlias: async (model) => modelView(model, '1'),
  setShadow: async (model) => modelView(model, '1'),
  setRollback: async (model) => modelView(model, '1'),
  deleteRollback: async (model) => modelView(model, '1'),
};

export interface EdgeParts {
  readonly classify?: Classify;
  readonly forget?: (request: ForgetRequest, signal: AbortSignal) => Promise<Forgotten>;
  /** Default: `shared`. */
  readonly cacheSharing?: CacheSharing;
  readonly catalog?: ModelCatalog;
  readonly reloads?: ModelReloads;
  readonly loads?: ModelLoads;
  readonly routing?: RoutingChanges;
  readonly statistics?: StatisticsReader;
  readonly comparisons?: ComparisonCatalog;
  readonly options?: Partial<RpcServerOptions>;
  /** Steps that calls pass after the one that records them. */
  readonly interceptors?: readonly Interceptor[];
  readonly limiter?: RateLimiter;
  /** Connections that there are descriptors for. */
  readonly room?: number;
}

/** A server on a free port with clients, and what its hooks reported. */
export class Edge {
  readonly handled: HandledCall[] = [];
  readonly started: string[] = [];
  readonly itemFailures: unknown[] = [];
  readonly streams: number[] = [];
  readonly shed: string[] = [];
  readonly refused: string[] = [];
  /** Connections let in. */
  opened = 0;
  readonly closed: string[] = [];
  readonly breaches: string[] = [];
  /** `client: cancel`. */
  readonly resets: string[] = [];
  readonly callsRefused: string[] = [];
  readonly server: RpcServer;
  port = 0;
  #whenHandled: (() => void) | undefined;

  private constructor({
    classify = (item) => answerTo(item),
    forget = async () => nothingForgotten,
    cacheSharing = 'shared',
    catalog = new TestCatalog(),
    reloads = { reload: async () => [] },
    loads = { load: async (model) => catalog.get(model), unload: async (model) => catalog.get(model) },
    routing = unchangedRouting,
    statistics = { of: () => [] },
    comparisons = { compare: () => [] },
    options,
    interceptors = [],
    limiter,
  }: EdgeParts) {
    const whole = {
      host: '127.0.0.1',
      port: 0,
      maxTextChars: 100,
      maxBatchInputs: 4,
      streamWindow: 4,
      defaultDeadlineMs: 5_000,
      ...options,
    };
    const recorder: Interceptor = {
      intercept: ({ method }) => {
        this.started.push(method);
        return {
          onEnd: (call) => {
            this.handled.push(call);
            this.#whenHandled?.();
          },
        };
      },
    };
    this.server = new RpcServer({
      routes: serviceRoutes({
        classifier: { classify },
        statistics,
        forgetter: { forget },
        cacheSharing,
        catalog,
        reloads,
        loads,
        routing,
        comparisons,
        limiter,
        defaultModel: 'sentiment',
        version: '1.2.3',
        options: whole,
        hooks: { onStreamsInFlight: (count) => this.streams.push(count) },
      }),
      catalog,
      descriptorSet,
      options: whole,
      interceptors: [recorder, ...interceptors],
      hooks: {
        onInputFailed: ({ cause }) => this.itemFailures.push(cause),
        onCallShed: (reason) => this.shed.push(reason),
        onConnectionRefused: (reason) => this.refused.push(reason),
        onConnectionOpened: () => {
          this.opened++;
        },
        onConnectionClosed: (end) => this.closed.push(end),
        onProtocolBreach: (breach) => this.breaches.push(breach),
        onStreamReset: (by, code) => this.resets.push(`${by}: ${code}`),
        onCallRefused: (refusal) => this.callsRefused.push(refusal),
      },
    });
  }

  /** Runs the body against a fresh server, and closes server and clients whatever happens. */
  static async run(parts: EdgeParts, body: (edge: Edge) => Promise<void>): Promise<void> {
    const edge = new Edge(parts);
    try {
      ({ port: edge.port } = await edge.server.start(parts.room));
      await body(edge);
    } finally {
      for (const client of edge.#clients) client.close();
      await edge.server.close();
    }
  }

  readonly #clients: { close(): void }[] = [];

  #client<C extends { close(): void }>(
    Client: new (address: string, creds: ReturnType<typeof credentials.createInsecure>) => C,
  ): C {
    const client = new Client(`127.0.0.1:${this.port}`, credentials.createInsecure());
    this.#clients.push(client);
    return client;
  }

  get classifier(): ClassifierServiceClient {
    return this.#client(ClassifierServiceClient);
  }

  get inference(): GRPCInferenceServiceClient {
    return this.#client(GRPCInferenceServiceClient);
  }

  get predict(): PredictClient {
    return this.#client(PredictClient);
  }

  get models(): ModelServiceClient {
    return this.#client(ModelServiceClient);
  }

  get cache(): CacheServiceClient {
    return this.#client(CacheServiceClient);
  }

  get health(): HealthClient {
    return this.#client(HealthClient);
  }

  /** Resolves with the number-th call that has ended, counted from 1. */
  async handledCall(number = 1): Promise<HandledCall> {
    while (this.handled.length < number) {
      await new Promise<void>((resolve) => {
        this.#whenHandled = resolve;
      });
    }
    const call = this.handled[number - 1];
    if (call === undefined) throw new Error('no such call');
    return call;
  }
}

/** What became of a unary call. */
export interface Outcome<Res> {
  readonly error: ServiceError | null;
  readonly response: Res | undefined;
  readonly headers: Metadata | undefined;
}

/** Runs a unary call to its end, good or bad. */
export function unary<Req, Res>(
  method: (
    request: Req,
    metadata: Metadata,
    options: { deadline?: number },
    callback: (error: ServiceError | null, response: Res) => void,
  ) => { on(event: 'metadata', listener: (metadata: Metadata) => void): unknown },
  request: Req,
  metadata: Metadata,
  options: { deadline?: number } = {},
): Promise<Outcome<Res>> {
  return new Promise((resolve) => {
    let headers: Metadata | undefined;
    const call = method(request, metadata, options, (error, response) =>
      resolve({ error, response, headers }),
    );
    call.on('metadata', (received) => {
      headers = received;
    });
  });
}

export type { BatchClassifyResponse, ClassifyResponse, ClassifyStreamResponse };
