import type { Claim, SharedClaim } from '../claim.js';

/**
 * The tier-independent value: what the model said, before any option shapes it. Shared between callers and with the
 * memory tier, so it is never changed after it was made, the array's contents included.
 */
export interface CacheEntry {
  readonly logits: Float32Array;
  readonly tokenCount: number;
  readonly truncated: boolean;
}

/** What every entry of a model looks like. */
export interface EntryShape {
  /** Logits of one answer; at least 1. */
  readonly labelCount: number;
  /** The most tokens that the model is given, special tokens included. */
  readonly maxTokens: number;
}

/**
 * What makes an entry one that the model cannot have given. Of a value in Redis: `type` is no string, `length` a wrong
 * number of bytes, `version` and `flags` unknown ones, `mac` a seal that is not ours. Of any entry: `labels` a wrong number
 * of logits, `tokens` a token count of 0 or above the model's limit, `logits` one that is NaN or infinite.
 */
export type EntryFault = 'type' | 'length' | 'mac' | 'version' | 'flags' | 'labels' | 'tokens' | 'logits';

/** 132 bits over model digest, input and truncation, as 22 characters of base64url. */
export type CacheKey = string;

/** `use`: read and write. `bypass`: neither, and join no flight. `refresh`: compute and write. */
export type CacheMode = 'use' | 'bypass' | 'refresh';

/** Where an answer came from. */
export type CacheOutcome = 'miss' | 'lru' | 'redis' | 'coalesced' | 'bypassed';

export type MaybePromise<T> = T | Promise<T>;

/** One tier. Neither method rejects: a tier that cannot answer is a miss, a hook event and no more. */
export interface CacheStore {
  /** An entry of that shape. What is kept in another shape is a miss. */
  get(key: CacheKey, shape: EntryShape): MaybePromise<CacheEntry | undefined>;
  set(key: CacheKey, entry: CacheEntry): MaybePromise<void>;
}

/**
 * A computation under way, as seen by the code that computes. It claims what its waiters claim so far: the latest deadline,
 * the most urgent class with the flow of the first who brought it, and what its leader does when the queue is full.
 */
export interface Flight extends SharedClaim {
  /** True once every waiter has left: the work is no longer wanted. */
  readonly abandoned: boolean;
  /** Called once, when every waiter has left; at once if that has already happened. */
  onAbandon(listener: () => void): void;
  /** Called when a waiter of a more urgent class has joined: once at most, not for what was so before. */
  onUrgent(listener: () => void): void;
}

/** Where the time of a computation went. */
export interface ComputeTimings {
  readonly tokenizeMs: number;
  readonly queueMs: number;
  readonly inferenceMs: number;
  readonly batchSize: number;
}

export interface Computed {
  readonly entry: CacheEntry;
  readonly timings: ComputeTimings;
}

export interface Resolved {
  readonly entry: CacheEntry;
  readonly outcome: CacheOutcome;
  /** Zero on a hit; of a joined flight only `queueMs`, the wait. */
  readonly timings: ComputeTimings;
}

/** The result cache: LRU, then the flight under way, then Redis, then compute. */
export interface ResultCache {
  /**
   * Answers from the nearest place. Returns without a promise on an LRU hit.
   * @param shape of the entries of the model that the key is for
   * @throws VerdictError cancelled or deadline_exceeded for this waiter alone; whatever `compute` rejects with
   */
  resolve(
    key: CacheKey,
    shape: EntryShape,
    mode: CacheMode,
    claim: Claim,
    compute: (flight: Flight) => Promise<Computed>,
  ): MaybePromise<Resolved>;
}

/** Events for telemetry. None may throw. */
export interface CacheHooks {
  onLookup?(
    tier: 'lru' | 'redis',
    outcome: 'hit' | 'miss' | 'invalid' | 'error' | 'timeout' | 'skipped',
  ): void;
  /** An entry was not believed: one that Redis held, or one that was computed and is not kept. */
  onInvalid?(origin: 'redis' | 'computed', fault: EntryFault): void;
  onJoin?(): void;
  onSize?(size: { readonly entries: number; readonly bytes: number }): void;
  onWrite?(tier: 'lru' | 'redis', outcome: 'ok' | 'error' | 'dropped'): void;
}
