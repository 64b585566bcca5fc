import type { CacheMode, CacheOutcome, ComputeTimings, Keyspace, Resolved } from '../cache/types.js';
import type { Claim, InputTrace, ServiceClass } from '../claim.js';
import type { MaybePromise } from '../concurrency/maybe-promise.js';
import type { TextInput, Truncation } from '../tokenizer/types.js';

export type Activation = 'softmax' | 'sigmoid' | 'none';

/** How an answer is computed and shaped; `undefined` follows the model. */
export interface ClassifyOptions {
  /** Predictions to return, best first; 0: every label. */
  readonly topK: number;
  /** Predictions below it are left out. */
  readonly minScore: number | undefined;
  readonly activation: Activation | undefined;
  readonly truncation: Truncation | undefined;
  readonly cache: CacheMode;
}

/** One validated input for one model. */
export interface InputRequest {
  /** Empty: the default model. */
  readonly model: string;
  /** A number or an alias. Empty: the serving version, or one of those that the requests are divided among. */
  readonly version: string;
  readonly input: TextInput;
  readonly options: ClassifyOptions;
  /** Where requests are divided, those with the same key go to the same version. Undefined: the input decides. */
  readonly routingKey?: string | undefined;
}

export interface Prediction {
  readonly label: string;
  readonly score: number;
  readonly index: number;
}

export interface Classification {
  readonly predictions: readonly Prediction[];
  /** What the model said, a value for each label in their order. The cache holds it too: never written to. */
  readonly logits: Float32Array;
  readonly model: string;
  readonly version: string;
  /** By which the request named the version; empty: it did not. */
  readonly alias: string;
  readonly tokenCount: number;
  readonly truncated: boolean;
  readonly cache: CacheOutcome;
  readonly timings: ComputeTimings & { readonly totalMs: number };
}

/** What one input may claim, of the cache too. */
export interface InputClaim extends Claim {
  /** Whose cached answers it may get, and may be left among. Undefined: nobody's, whatever its options say. */
  readonly keyspace: Keyspace | undefined;
}

/** What the service does. */
export interface Classifier {
  /**
   * Classifies one input. Returns without a promise when memory holds the answer.
   * @throws VerdictError, synchronously or by rejection: not_found, invalid_argument, resource_exhausted,
   *   deadline_exceeded, cancelled, unavailable, internal
   */
  classify(request: InputRequest, claim: InputClaim): MaybePromise<Classification>;
}

/** An input whose answers are to be forgotten. */
export interface ForgetRequest {
  /** Empty: all models. */
  readonly model: string;
  readonly input: TextInput;
  /** A caller with a cache of its own that the server may not know. Empty: none. */
  readonly caller: string;
  /** Whether the answers of a model may be forgotten. */
  readonly mayUse: (model: string) => boolean;
}

export interface ForgottenVersion {
  readonly name: string;
  readonly version: string;
  readonly digest: string;
}

/** What was forgotten, and how many answers were there. */
export interface Forgotten {
  readonly versions: readonly ForgottenVersion[];
  readonly fromMemory: number;
  readonly fromRedis: number;
  /** Seconds after which Redis holds nothing more that could not be named; 0 without Redis. */
  readonly othersExpireSeconds: number;
}

/** Makes the cache forget. */
export interface Forgetter {
  /**
   * Removes the answers for an input from all tiers. What computes it at the moment leaves no answer there.
   * @throws VerdictError, by rejection: not_found, unavailable (no version is loaded, or Redis does not confirm), or the reason of
   *   the signal; part of the answers may be gone then
   */
  forget(request: ForgetRequest, signal: AbortSignal): Promise<Forgotten>;
}

/**
 * Looks at answers as they go out. Called on the way of every input, so it must not throw and must put off what takes time.
 * @template M the version that was asked
 */
export interface AnswerListener<M> {
  /**
   * @param keyspace whose cached answers the caller gets; undefined: nobody's
   * @param startedAt when the input came, in performance.now() milliseconds
   */
  onAnswer(
    model: M,
    request: InputRequest,
    keyspace: Keyspace | undefined,
    resolved: Resolved,
    startedAt: number,
  ): void;
  onFailure(model: M, request: InputRequest, error: unknown): void;
}

/** Events for telemetry. None may throw. */
export interface ClassifierHooks {
  /** Once per input. `model` and `version` are those that it was for, or empty when none could be resolved. */
  onInput?(input: {
    readonly model: string;
    readonly version: string;
    /** By which the request named the version; empty: it did not, or no version could be resolved. */
    readonly alias: string;
    readonly outcome: CacheOutcome | 'error';
    /** What the model has read of it; 0 where it was not answered. */
    readonly tokens: number;
    readonly totalMs: number;
    readonly timings: ComputeTimings | undefined;
    readonly postprocessMs: number;
    readonly serviceClass: ServiceClass;
    /** Undefined: the input is not traced. */
    readonly trace: InputTrace | undefined;
    /** What the input ended with; undefined where it was answered. */
    readonly error?: unknown;
  }): void;
}
