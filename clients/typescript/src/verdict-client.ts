import { type Client, Metadata } from '@grpc/grpc-js';
import {
  HealthService,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '../../../generated/grpc/health/v1/health.js';
import { CacheServiceService } from '../../../generated/verdict/v1/cache_service.js';
import { ClassifierServiceService } from '../../../generated/verdict/v1/classifier_service.js';
import { ModelServiceService, type Model as WireModel } from '../../../generated/verdict/v1/model_service.js';
import { openChannel } from './channel.js';
import { ClassifyStream } from './classify-stream.js';
import { fromStatus, invalidArgument, VerdictClientError } from './client-error.js';
import { checkTimeout, DEFAULT_TIMEOUT_MS, type VerdictClientOptions } from './client-options.js';
import type { VersionComparison } from './comparison-types.js';
import type { ForgetOptions, ForgetResult } from './forget-types.js';
import { toClassification } from './from-response.js';
import { toModel, toModelReload, toVersionComparison } from './model-from-response.js';
import type { HealthStatus, Model, ModelReload, RollbackLimits, TrafficShare } from './model-types.js';
import {
  DEFAULT_RETRY,
  NO_RETRY,
  type RetryClock,
  type RetryPolicy,
  SYSTEM_CLOCK,
  withRetries,
} from './retry.js';
import { toVersionStatistics } from './statistics-from-response.js';
import type { StatisticsOptions, VersionStatistics } from './statistics-types.js';
import { NO_DETAILS } from './status-details.js';
import type { StreamItem, StreamOptions } from './stream-types.js';
import { toWireInput, toWireOptions } from './to-request.js';
import type {
  CallOptions,
  Classification,
  ClassifyInput,
  ClassifyOptions,
  ModelChoice,
  RoutingOptions,
} from './types.js';
import { type UnaryMethod, unaryCall } from './unary-call.js';

/** What became of one input of a batch. */
export type BatchResult =
  | { readonly ok: true; readonly classification: Classification }
  | { readonly ok: false; readonly error: VerdictClientError };

/** What `classify` and `classifyBatch` take beside their inputs. */
export interface ClassifyCallOptions extends CallOptions, ModelChoice, RoutingOptions, ClassifyOptions {}

const HEALTH_POLL_MS = 100;
/** Of whatever loads a model. */
const LOAD_TIMEOUT_MS = 600_000;

/**
 * A client of one Verdict service, over one connection per server address. Meant to be made once and shared: it may
 * have any number of calls under way. All its methods reject with a {@link VerdictClientError}.
 */
export class VerdictClient {
  readonly #channel: Client;
  readonly #metadata: Metadata | (() => Metadata);
  readonly #defaultTimeoutMs: number;
  readonly #retry: RetryPolicy;
  readonly #clock: RetryClock;

  /**
   * Connects with the first call.
   * @param clock time and chance of the retries, for tests
   * @throws VerdictClientError INVALID_ARGUMENT
   */
  constructor(options: VerdictClientOptions = {}, clock: RetryClock = SYSTEM_CLOCK) {
    const { retry = {} } = options;
    this.#metadata = metadataOf(options);
    this.#defaultTimeoutMs = checkTimeout('defaultTimeoutMs', options.defaultTimeoutMs ?? DEFAULT_TIMEOUT_MS);
    this.#retry = retry === false ? NO_RETRY : { ...DEFAULT_RETRY, ...retry };
    this.#clock = clock;
    this.#channel = openChannel(options);
  }

  /** Classifies one text or pair. Tried again when the server is overloaded or out of reach. */
  async classify(input: ClassifyInput, options: ClassifyCallOptions = {}): Promise<Classification> {
    const request = {
      model: options.model ?? '',
      version: options.version ?? '',
      input: toWireInput(input),
      options: toWireOptions(options),
    };
    const { classification } = await this.#unary(ClassifierServiceService.classify, request, options);
    if (classification === undefined) throw emptyResponse();
    return toClassification(classification);
  }

  /**
   * Classifies up to `max_batch_inputs` (32 by default) inputs with one model; the results are in the order of the
   * inputs. Rejects when the call failed; an input that failed alone is a result. For more inputs than that use
   * {@link classifyStream}.
   */
  async classifyBatch(
    inputs: readonly ClassifyInput[],
    options: ClassifyCallOptions = {},
  ): Promise<BatchResult[]> {
    const request = {
      model: options.model ?? '',
      version: options.version ?? '',
      inputs: inputs.map((input) => ({ input: toWireInput(input) })),
      options: toWireOptions(options),
    };
    const { results } = await this.#unary(ClassifierServiceService.batchClassify, request, options);
    if (results.length !== inputs.length) throw emptyResponse();
    return results.map(({ outcome }) => {
      if (outcome === undefined) throw emptyResponse();
      return outcome.$case === 'classification'
        ? { ok: true, classification: toClassification(outcome.value) }
        : { ok: false, error: fromStatus(outcome.value, options.requestId) };
    });
  }

  /**
   * Classifies inputs as they come, over one call, with back-pressure both ways. Not tried again: the results that
   * have been taken tell where to go on.
   */
  classifyStream<T extends string | StreamItem>(
    source: AsyncIterable<T> | Iterable<T>,
    options: StreamOptions = {},
  ): ClassifyStream<T> {
    const { window, timeoutMs } = options;
    if (window !== undefined && !(Number.isInteger(window) && window > 0)) {
      throw invalidArgument('window must be a positive integer');
    }
    if (timeoutMs !== undefined) checkTimeout('timeoutMs', timeoutMs);
    const { path, requestSerialize, responseDeserialize } = ClassifierServiceService.classifyStream;
    const metadata = this.#callMetadata(options);
    const open = () =>
      this.#channel.makeBidiStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        metadata,
        timeoutMs === undefined ? {} : { deadline: this.#clock.now() + timeoutMs },
      );
    return new ClassifyStream(open, source, options);
  }

  /** The models of the server, by name. */
  async listModels(options: CallOptions = {}): Promise<Model[]> {
    const { models } = await this.#unary(ModelServiceService.listModels, {}, options);
    return models.map(toModel);
  }

  /** One model. Rejects with NOT_FOUND where there is none of that name. */
  async getModel(name: string, options: CallOptions = {}): Promise<Model> {
    const { model } = await this.#unary(ModelServiceService.getModel, { model: name }, options);
    if (model === undefined) throw emptyResponse();
    return toModel(model);
  }

  /**
   * What the versions of a model have done on the server, highest first. Rejects with NOT_FOUND where there is no such model, or
   * nothing is counted for the version.
   */
  async getModelStatistics(model: string, options: StatisticsOptions = {}): Promise<VersionStatistics[]> {
    const { version = '' } = options;
    const request = { model, version };
    const { versions } = await this.#unary(ModelServiceService.getModelStatistics, request, options);
    return versions.map(toVersionStatistics);
  }

  /**
   * Has the server load what has changed in its models folder. Needs the scope `admin`. Takes seconds to minutes for each model:
   * the default limit is ten minutes. The server goes on if this gives up.
   * @param models names; empty: all models
   */
  async reloadModels(models: readonly string[] = [], options: CallOptions = {}): Promise<ModelReload[]> {
    const { reloads } = await this.#unary(
      ModelServiceService.reloadModels,
      { models: [...models] },
      { ...options, timeoutMs: options.timeoutMs ?? LOAD_TIMEOUT_MS },
    );
    return reloads.map(toModelReload);
  }

  /**
   * Loads a model, so that the first request for it need not wait. Needs the scope `admin`. The default limit is ten minutes; the
   * server goes on if this gives up. Rejects with NOT_FOUND, with RESOURCE_EXHAUSTED where pinned models leave no room, and with
   * UNAVAILABLE where it could not be loaded.
   */
  async loadModel(model: string, options: CallOptions = {}): Promise<Model> {
    const timeoutMs = options.timeoutMs ?? LOAD_TIMEOUT_MS;
    return changedModel(
      await this.#unary(ModelServiceService.loadModel, { model }, { ...options, timeoutMs }),
    );
  }

  /**
   * Unloads a model: it answers what it holds, and the next request loads it again. Needs the scope `admin`. Rejects with
   * NOT_FOUND, and with INVALID_ARGUMENT for one that is pinned.
   */
  async unloadModel(model: string, options: CallOptions = {}): Promise<Model> {
    const timeoutMs = options.timeoutMs ?? LOAD_TIMEOUT_MS;
    return changedModel(
      await this.#unary(ModelServiceService.unloadModel, { model }, { ...options, timeoutMs }),
    );
  }

  /**
   * Divides the requests for a model that name no version among versions, in whole percent, 100 together. A change moves as few callers
   * as it can. Needs the scope `admin`. Rejects with NOT_FOUND for a version that is not loaded.
   * @param traffic empty: the highest version gets all requests
   */
  async setTraffic(
    model: string,
    traffic: readonly TrafficShare[],
    options: CallOptions = {},
  ): Promise<Model> {
    const request = { model, traffic: [...traffic] };
    return changedModel(await this.#unary(ModelServiceService.setTraffic, request, options));
  }

  /** Gives a version another name, or moves a name to another version. Needs the scope `admin`. */
  async setAlias(model: string, alias: string, version: string, options: CallOptions = {}): Promise<Model> {
    const request = { model, alias, version };
    return changedModel(await this.#unary(ModelServiceService.setAlias, request, options));
  }

  /** Takes a name away. Needs the scope `admin`. Rejects with NOT_FOUND where there is no such alias. */
  async deleteAlias(model: string, alias: string, options: CallOptions = {}): Promise<Model> {
    return changedModel(await this.#unary(ModelServiceService.deleteAlias, { model, alias }, options));
  }

  /**
   * Has a version asked a sample of what other versions have answered, to compare its answers with theirs: see {@link compareModel}.
   * Callers get nothing of it. Needs the scope `admin`. Rejects with NOT_FOUND for a version that is not loaded.
   * @param percent whole, from 1 to 100
   */
  async setShadow(
    model: string,
    version: string,
    percent: number,
    options: CallOptions = {},
  ): Promise<Model> {
    const request = { model, version, percent };
    return changedModel(await this.#unary(ModelServiceService.setShadow, request, options));
  }

  /** Ends the shadow of a model. Needs the scope `admin`. */
  async endShadow(model: string, options: CallOptions = {}): Promise<Model> {
    const request = { model, version: '', percent: 0 };
    return changedModel(await this.#unary(ModelServiceService.setShadow, request, options));
  }

  /**
   * Sets when a candidate loses its traffic to a stable version. Needs the scope `admin`. Rejects with NOT_FOUND for a version that is
   * not loaded.
   */
  async setRollback(model: string, limits: RollbackLimits, options: CallOptions = {}): Promise<Model> {
    const { version, stableVersion, maxErrorPercent, maxFlipPercent } = limits;
    const { minObservations = 0, windowSeconds = 0 } = limits;
    const request = {
      ...{ model, version, stableVersion, maxErrorPercent, maxFlipPercent },
      ...{ minObservations, windowSeconds },
    };
    return changedModel(await this.#unary(ModelServiceService.setRollback, request, options));
  }

  /** Takes the rollback rule of a model away. Needs the scope `admin`. Rejects with NOT_FOUND where there is none. */
  async deleteRollback(model: string, options: CallOptions = {}): Promise<Model> {
    return changedModel(await this.#unary(ModelServiceService.deleteRollback, { model }, options));
  }

  /**
   * How the answers of versions differ: of a shadow, and of a candidate with a rollback rule. Needs the scope `admin`.
   * @param version the candidate; empty: all that are compared
   */
  async compareModel(model: string, version = '', options: CallOptions = {}): Promise<VersionComparison[]> {
    const request = { model, version };
    const { comparisons } = await this.#unary(ModelServiceService.getModelComparison, request, options);
    return comparisons.map(toVersionComparison);
  }

  /**
   * Removes the answers for an input from the server's cache: from its memory and from Redis. Needs the scope `admin`, or a
   * connection from the server's own machine where it has neither keys nor tokens. Rejects with UNAVAILABLE if Redis does not confirm.
   */
  async forget(input: ClassifyInput, options: ForgetOptions = {}): Promise<ForgetResult> {
    const { model = '', caller = '' } = options;
    const request = { model, input: toWireInput(input), caller };
    return this.#unary(CacheServiceService.forget, request, options);
  }

  /**
   * Asks once whether the server is able to serve. Not tried again: it rejects when the server cannot be reached.
   * @param service empty: the server as a whole; `verdict.v1.ClassifierService`; `models/<name>`
   */
  async health(service = '', options: CallOptions = {}): Promise<HealthStatus> {
    try {
      const { status } = await this.#unary(HealthService.check, { service }, options, NO_RETRY);
      if (status === ServingStatus.SERVING) return 'serving';
      return status === ServingStatus.NOT_SERVING ? 'not_serving' : 'unknown';
    } catch (error) {
      if (error instanceof VerdictClientError && error.code === 'NOT_FOUND') return 'service_unknown';
      throw error;
    }
  }

  /** Waits until the server says that it is able to serve; rejects with DEADLINE_EXCEEDED when it takes too long. */
  async waitForReady(options: CallOptions & { readonly service?: string } = {}): Promise<void> {
    const { service = '', signal, timeoutMs = this.#defaultTimeoutMs } = options;
    const deadlineAt = this.#clock.now() + checkTimeout('timeoutMs', timeoutMs);
    for (;;) {
      const leftMs = deadlineAt - this.#clock.now();
      let found: string;
      try {
        found = await this.health(service, { ...options, timeoutMs: Math.max(1, leftMs) });
        if (found === 'serving') return;
      } catch (error) {
        if (!(error instanceof VerdictClientError) || !isNotYet(error)) throw error;
        found = error.message;
      }
      if (leftMs <= HEALTH_POLL_MS) {
        throw new VerdictClientError('DEADLINE_EXCEEDED', `Not ready within ${timeoutMs} ms: ${found}`);
      }
      await this.#clock.sleep(HEALTH_POLL_MS, signal).catch(() => undefined);
    }
  }

  /** Closes the connections. Calls under way run to their end; new ones reject with CANCELLED. */
  close(): void {
    this.#channel.close();
  }

  async #unary<Request, Response>(
    method: UnaryMethod<Request, Response>,
    request: Request,
    options: CallOptions & RoutingOptions,
    retry = this.#retry,
  ): Promise<Response> {
    const { signal, timeoutMs = this.#defaultTimeoutMs, requestId } = options;
    const deadlineAt = this.#clock.now() + checkTimeout('timeoutMs', timeoutMs);
    const attempt = { metadata: this.#callMetadata(options), deadlineAt, signal, requestId };
    const once = () => unaryCall(this.#channel, method, request, attempt);
    return retry.maxAttempts > 1 ? withRetries(once, retry, attempt, this.#clock) : once();
  }

  /** grpc-js copies it when a call starts, so that calls without headers of their own may share one. */
  #callMetadata({ requestId, routingKey }: Pick<CallOptions, 'requestId'> & RoutingOptions): Metadata {
    const metadata = typeof this.#metadata === 'function' ? this.#metadata() : this.#metadata;
    if (requestId === undefined && routingKey === undefined) return metadata;
    const own = metadata.clone();
    if (requestId !== undefined) own.set('x-request-id', requestId);
    if (routingKey !== undefined) own.set('verdict-routing-key', checkedRoutingKey(routingKey));
    return own;
  }
}

/** @throws VerdictClientError, without the key, which grpc-js would quote */
function checkedRoutingKey(key: string): string {
  if (!/^[!-~]+$/.test(key)) throw invalidArgument('routingKey must be printable ASCII without spaces');
  return key;
}

/** The headers of every call, made once where nothing has to be asked anew. */
function metadataOf({ metadata = {}, apiKey }: VerdictClientOptions): Metadata | (() => Metadata) {
  const make = () => {
    const made = toMetadata(typeof metadata === 'function' ? metadata() : metadata);
    if (apiKey !== undefined)
      made.set('authorization', bearer(typeof apiKey === 'function' ? apiKey() : apiKey));
    return made;
  };
  return typeof metadata === 'function' || typeof apiKey === 'function' ? make : make();
}

/** @throws VerdictClientError, without the key, which grpc-js would quote */
function bearer(apiKey: string): string {
  if (!/^[!-~]+$/.test(apiKey)) throw invalidArgument('apiKey must be printable ASCII without spaces');
  return `Bearer ${apiKey}`;
}

function toMetadata(headers: Readonly<Record<string, string>>): Metadata {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(headers)) {
    try {
      metadata.set(key, value);
    } catch {
      throw invalidArgument(`metadata: the key or the value of "${key}" cannot be sent as a header`);
    }
  }
  return metadata;
}

function isNotYet({ code, reason }: VerdictClientError): boolean {
  if (code === 'RESOURCE_EXHAUSTED') return reason !== 'RESPONSE_TOO_LARGE';
  return code === 'UNAVAILABLE' || code === 'DEADLINE_EXCEEDED';
}

function changedModel({ model }: { readonly model: WireModel | undefined }): Model {
  if (model === undefined) throw emptyResponse();
  return toModel(model);
}

function emptyResponse(): VerdictClientError {
  return new VerdictClientError('INTERNAL', 'The server sent an incomplete response', {
    ...NO_DETAILS,
    reason: 'INCOMPLETE_RESPONSE',
  });
}
