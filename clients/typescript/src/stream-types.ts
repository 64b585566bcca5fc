import type { VerdictClientError } from './client-error.js';
import type {
  CacheOutcome,
  CallOptions,
  Classification,
  ClassifyOptions,
  ModelChoice,
  RoutingOptions,
  TextInput,
} from './types.js';

/** One input of a stream. It may hold more than this: the result hands the same object back. */
export interface StreamItem extends TextInput, ModelChoice {
  /** Echoed in the result; up to 128 characters; need not be unique. */
  readonly id?: string | undefined;
  /** Replace the stream's `defaultOptions` whole. */
  readonly options?: ClassifyOptions | undefined;
}

export interface StreamOptions extends Pick<CallOptions, 'signal' | 'requestId'>, RoutingOptions {
  /**
   * `request` (default): results come in the order of the inputs, a slow one holds back those behind it.
   * `completion`: each comes as soon as it is done.
   */
  readonly order?: 'request' | 'completion' | undefined;
  /** Asks the server for a summary at the end: `ClassifyStream.summary`. Default false. */
  readonly sendEnd?: boolean | undefined;
  /** The model of inputs that name none. */
  readonly defaultModel?: string | undefined;
  /** The options of inputs that have none. */
  readonly defaultOptions?: ClassifyOptions | undefined;
  /**
   * How many inputs may be under way: taken from the source, and their result not yet taken from the stream.
   * Bounds the memory and the reading ahead. Default 256: the server holds 64 and finds the next ones waiting.
   */
  readonly window?: number | undefined;
  /** How long the whole stream may take, in milliseconds. Default: no limit; the server limits each input. */
  readonly timeoutMs?: number | undefined;
}

interface StreamResultBase<T> {
  /** The input's id; empty where it has none. */
  readonly id: string;
  /** 0-based position of the input in the source. */
  readonly index: number;
  /** The input itself, as it came from the source. */
  readonly item: T;
}

/** What became of one input of a stream. A failed input does not end the stream. */
export type StreamResult<T> =
  | (StreamResultBase<T> & { readonly ok: true; readonly classification: Classification })
  | (StreamResultBase<T> & { readonly ok: false; readonly error: VerdictClientError });

/** The server's own count of a stream. */
export interface StreamSummary {
  readonly classifiedCount: number;
  readonly failedCount: number;
  /** Classifications by where they came from. */
  readonly cacheCounts: ReadonlyMap<CacheOutcome, number>;
}
