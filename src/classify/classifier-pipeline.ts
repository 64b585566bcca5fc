import type {
  CacheKey,
  Computed,
  EntryShape,
  Flight,
  Keyspace,
  Resolved,
  ResultCache,
} from '../cache/types.js';
import type { Claim } from '../claim.js';
import type { MaybePromise } from '../concurrency/maybe-promise.js';
import { invalidField, VerdictError } from '../errors.js';
import type { AppliedActivation, ProblemType } from '../models/types.js';
import type { TextInput, Truncation } from '../tokenizer/types.js';
import { activationOf, predict } from './scores.js';
import type {
  Activation,
  AnswerListener,
  Classification,
  Classifier,
  ClassifierHooks,
  InputClaim,
  InputRequest,
} from './types.js';

/** What the pipeline needs of a model version: what it says of itself, its cache keys and its computation. */
export interface ClassifyingModel {
  readonly name: string;
  readonly version: string;
  /** Of everything that decides an answer. */
  readonly digest: string;
  readonly labels: readonly string[];
  readonly problemType: ProblemType;
  /** What the model itself does to its logits; undefined: nothing. */
  readonly appliedActivation: AppliedActivation | undefined;
  readonly defaultTruncation: Truncation;
  cacheKey(input: TextInput, truncation: Truncation, keyspace: Keyspace): CacheKey;
  /** What every answer of the model looks like to the cache. */
  readonly entryShape: EntryShape;
  /**
   * Tokenises, queues and runs one input.
   * @throws VerdictError
   */
  compute(input: TextInput, truncation: Truncation, flight: Flight): Promise<Computed>;
}

/** Finds the model version that a request means. */
export interface ModelResolver {
  /**
   * Returns without a promise when the model is loaded, or was: its cached answers need no load. Otherwise waits until it is.
   * @throws VerdictError, synchronously or by rejection: not_found; unavailable when the model exists and no version serves;
   *   resource_exhausted, deadline_exceeded; the signal's reason
   */
  resolve(
    request: Pick<InputRequest, 'model' | 'version' | 'input' | 'routingKey'>,
    claim: Pick<Claim, 'signal' | 'deadlineAt' | 'serviceClass' | 'trace'>,
  ): MaybePromise<ClassifyingModel>;
}

/** Whoever wants to know of answers, while anybody does. */
export interface AnswerWatch {
  readonly listener: AnswerListener<ClassifyingModel> | undefined;
}

const UNWATCHED: AnswerWatch = { listener: undefined };

/** The way of one input: model, cache, computation, scores. */
export class ClassifierPipeline implements Classifier {
  readonly #models: ModelResolver;
  readonly #cache: Pick<ResultCache, 'resolve'>;
  readonly #hooks: ClassifierHooks;
  readonly #watch: AnswerWatch;

  constructor(
    models: ModelResolver,
    cache: Pick<ResultCache, 'resolve'>,
    hooks: ClassifierHooks = {},
    watch: AnswerWatch = UNWATCHED,
  ) {
    this.#watch = watch;
    this.#models = models;
    this.#cache = cache;
    this.#hooks = hooks;
  }

  classify(request: InputRequest, claim: InputClaim): MaybePromise<Classification> {
    const startedAt = performance.now();
    let model: ClassifyingModel | undefined;
    try {
      refuseLate(claim, startedAt);
      const found = this.#models.resolve(request, claim);
      if (found instanceof Promise) return this.#onceLoaded(found, request, claim, startedAt);
      model = found;
      refuseSecondActivation(model, request.options.activation);
      const resolved = this.#resolve(model, request, claim);
      if (resolved instanceof Promise) return this.#finishLater(model, request, claim, resolved, startedAt);
      return this.#finish(model, request, claim, resolved, startedAt);
    } catch (error) {
      this.#fail(model, request, claim, startedAt, error);
      throw error;
    }
  }

  async #onceLoaded(
    loading: Promise<ClassifyingModel>,
    request: InputRequest,
    claim: InputClaim,
    startedAt: number,
  ): Promise<Classification> {
    let model: ClassifyingModel;
    try {
      model = await loading;
    } catch (error) {
      this.#fail(undefined, request, claim, startedAt, error);
      throw error;
    }
    return this.#finishLater(model, request, claim, this.#ask(model, request, claim), startedAt);
  }

  #resolve(model: ClassifyingModel, request: InputRequest, claim: InputClaim): MaybePromise<Resolved> {
    const { input, options } = request;
    const truncation = options.truncation ?? model.defaultTruncation;
    const { keyspace } = claim;
    // A request that bypasses the cache needs no key, and a key costs a hash.
    const isBypassed = keyspace === undefined || options.cache === 'bypass';
    return this.#cache.resolve(
      isBypassed ? '' : model.cacheKey(input, truncation, keyspace),
      model.entryShape,
      isBypassed ? 'bypass' : options.cache,
      claim,
      (flight) => model.compute(input, truncation, flight),
    );
  }

  async #finishLater(
    model: ClassifyingModel,
    request: InputRequest,
    claim: InputClaim,
    pending: Promise<Resolved>,
    startedAt: number,
  ): Promise<Classification> {
    let asked = model;
    let answer: MaybePromise<Resolved> = pending;
    for (;;) {
      try {
        return this.#finish(asked, request, claim, await answer, startedAt);
      } catch (error) {
        const successor = await this.#successor(asked, request, claim, error);
        if (successor === undefined) {
          this.#fail(asked, request, claim, startedAt, error);
          throw error;
        }
        asked = successor;
        answer = this.#ask(asked, request, claim);
      }
    }
  }

  async #ask(model: ClassifyingModel, request: InputRequest, claim: InputClaim): Promise<Resolved> {
    refuseSecondActivation(model, request.options.activation);
    return this.#resolve(model, request, claim);
  }

  /**
   * The version that has taken the place of one that is being stopped: what was still on its way to that one, in Redis or behind
   * another caller, is asked there, once it is loaded. Undefined: there is none, or the error is another one.
   */
  async #successor(
    model: ClassifyingModel,
    request: InputRequest,
    claim: InputClaim,
    error: unknown,
  ): Promise<ClassifyingModel | undefined> {
    if (!(error instanceof VerdictError) || error.reason !== 'DRAINING') return undefined;
    try {
      const found = await this.#models.resolve(request, claim);
      return found === model ? undefined : found;
    } catch {
      return undefined;
    }
  }

  #finish(
    model: ClassifyingModel,
    request: InputRequest,
    { serviceClass, trace, keyspace }: InputClaim,
    resolved: Resolved,
    startedAt: number,
  ): Classification {
    const resolvedAt = performance.now();
    const { entry, outcome, timings } = resolved;
    const predictions = predict(entry.logits, model.labels, {
      activation: activationOf(model, request.options.activation),
      topK: request.options.topK,
      minScore: request.options.minScore,
    });
    const now = performance.now();
    const totalMs = now - startedAt;
    const postprocessMs = now - resolvedAt;
    const alias = aliasOf(model, request);
    this.#hooks.onInput?.({
      model: model.name,
      version: model.version,
      alias,
      outcome,
      tokens: entry.tokenCount,
      totalMs,
      timings,
      postprocessMs,
      serviceClass,
      trace,
    });
    this.#watch.listener?.onAnswer(model, request, keyspace, resolved, startedAt);
    return {
      predictions,
      logits: entry.logits,
      model: model.name,
      version: model.version,
      alias,
      tokenCount: entry.tokenCount,
      truncated: entry.truncated,
      cache: outcome,
      timings: { ...timings, totalMs },
    };
  }

  #fail(
    model: ClassifyingModel | undefined,
    request: InputRequest,
    { serviceClass, trace }: InputClaim,
    startedAt: number,
    error: unknown,
  ): void {
    this.#hooks.onInput?.({
      model: model?.name ?? '',
      version: model?.version ?? '',
      alias: model === undefined ? '' : aliasOf(model, request),
      outcome: 'error',
      tokens: 0,
      totalMs: performance.now() - startedAt,
      timings: undefined,
      postprocessMs: 0,
      serviceClass,
      trace,
      error,
    });
    if (model !== undefined) this.#watch.listener?.onFailure(model, request, error);
  }
}

/** Only an alias is answered by a version of another name. */
function aliasOf(model: ClassifyingModel, request: InputRequest): string {
  return request.version === model.version ? '' : request.version;
}

function refuseSecondActivation(
  { appliedActivation: applied }: ClassifyingModel,
  asked: Activation | undefined,
): void {
  if (applied === undefined || asked === undefined || asked === 'none' || asked === applied) return;
  const own = `ACTIVATION_${applied.toUpperCase()}`;
  throw invalidField(
    'options.activation',
    `must be ${own}, ACTIVATION_NONE or left out: the model's own output is a ${applied} already`,
  );
}

/** Whether the caller has left is looked at by the cache, and only where somebody has to wait: a signal costs 5 us. */
function refuseLate(claim: InputClaim, now: number): void {
  if (now >= claim.deadlineAt) {
    throw new VerdictError('deadline_exceeded', 'the deadline passed before the input was processed', {
      reason: 'DEADLINE_EXCEEDED',
    });
  }
}
