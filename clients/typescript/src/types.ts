/** A text, or a pair of texts judged together (a premise and a hypothesis, a question and an answer). */
export interface TextInput {
  readonly text: string;
  readonly textPair?: string | undefined;
}

/** What can be classified. A string is short for `{ text }`. */
export type ClassifyInput = string | TextInput;

/** How logits become scores. Left out: what the model's problem type asks for. */
export type Activation = 'softmax' | 'sigmoid' | 'none';

/** What happens to an input of more tokens than the model reads. Left out: the model's own default. */
export type Truncation = 'end' | 'start' | 'reject';

/** `use` reads and writes the result cache, `bypass` leaves it out, `refresh` computes anew and writes. */
export type CacheMode = 'use' | 'bypass' | 'refresh';

/** Where an answer came from. `unknown` stands for a value that this client is too old to know. */
export type CacheOutcome = 'miss' | 'lru' | 'redis' | 'coalesced' | 'bypassed' | 'unknown';

/** How an answer is computed and shaped. */
export interface ClassifyOptions {
  /** Predictions to return, best first; 0: every label. Left out: 1. */
  readonly topK?: number | undefined;
  /** Leaves out predictions that score lower. Applied before `topK`, so that an answer may be empty. */
  readonly minScore?: number | undefined;
  readonly activation?: Activation | undefined;
  readonly truncation?: Truncation | undefined;
  /** Left out: `use`. */
  readonly cache?: CacheMode | undefined;
}

/** Which model answers. */
export interface ModelChoice {
  /** Left out: the server's default model. */
  readonly model?: string | undefined;
  /** A positive integer, or an alias of a version. Left out: the version that is serving, or one of those that share the requests. */
  readonly version?: string | undefined;
}

/** Keeps calls together where a server divides the requests among versions of a model. */
export interface RoutingOptions {
  /**
   * Calls with the same key go to the same version: a user's id, for one. 1 to 128 of A-Z, a-z, 0-9 and `._~:@/+=-`. Left out: the same
   * input goes to the same version.
   */
  readonly routingKey?: string | undefined;
}

/** What every single call takes. */
export interface CallOptions {
  /** Ends the call with a `CANCELLED` error. */
  readonly signal?: AbortSignal | undefined;
  /** How long the call may take, all attempts together, in milliseconds. Left out: `defaultTimeoutMs`. */
  readonly timeoutMs?: number | undefined;
  /** Sent as `x-request-id`, so that the call can be found in the server's log. Left out: the server makes one. */
  readonly requestId?: string | undefined;
}

/** One label and its score. */
export interface Prediction {
  readonly label: string;
  readonly score: number;
  /** Position of the label in the model's output, 0-based. */
  readonly index: number;
}

/** Where the time of one input went, in milliseconds. */
export interface Timings {
  readonly tokenizeMs: number;
  readonly queueMs: number;
  readonly inferenceMs: number;
  readonly totalMs: number;
  /** Inputs that ran together; 0 where none ran for this request. */
  readonly batchSize: number;
}

/** The answer for one input. */
export interface Classification {
  /** The best prediction's label; `undefined` where `minScore` left none. */
  readonly label: string | undefined;
  /** The best prediction's score; `undefined` where `minScore` left none. */
  readonly score: number | undefined;
  /** Best first. */
  readonly predictions: readonly Prediction[];
  readonly model: string;
  readonly version: string;
  /** The alias by which the request named the version; empty: it did not. */
  readonly alias: string;
  /** Tokens that the model read, special tokens included. */
  readonly tokenCount: number;
  /** Whether part of the input was cut off. */
  readonly truncated: boolean;
  /** `unknown` if the API key lacks the scope `cache-outcomes`. */
  readonly cache: CacheOutcome;
  /** All 0 if the API key lacks the scope `cache-outcomes`. */
  readonly timings: Timings;
}
