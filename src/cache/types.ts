import type { Claim, SharedClaim } from '../claim.js';
import type { MaybePromise } from '../concurrency/maybe-promise.js';

/**
 * The tier-independent value: the model's output, before any option shapes it. Callers and the memory tier share it, so
 * nobody may change it or the array's contents.
 */
export interface CacheEntry {
  readonly logits: Float32Array;
  readonly tokenCount: number;
  readonly truncated: boolean;
}

/** The shape of every entry of a model. */
export interface EntryShape {
  /** Logits of one answer; at least 1. */
  readonly labelCount: number;
  /** Most tokens that the model reads, including special tokens. */
  readonly maxTokens: number;
}

/**
 * Why the model cannot have produced an entry. For a value in Redis: `type` means it is not a string, `length` a wrong
 * number of bytes, `version` and `flags` unknown ones, `mac` a wrong seal. For any entry: `labels` means a wrong number
 * of logits, `tokens` a token count of 0 or above the model's limit, `logits` a logit that is NaN or infinite.
 */
export type EntryFault = 'type' | 'length' | 'mac' | 'version' | 'flags' | 'labels' | 'tokens' | 'logits';

/** 132 bits over keyspace, model digest, input and truncation, as 22 characters of base64url. */
export type CacheKey = string;

/** Whose entries these are: the name of a caller with a cache of its own, or {@link sharedKeyspace}. */
export type Keyspace = string;

/** The entries that callers share. No caller has this name. */
export const sharedKeyspace: Keyspace = '';

/** `use`: read and write. `bypass`: neither, and join no flight. `refresh`: compute and write. */
export type CacheMode = 'use' | 'bypass' | 'refresh';

/** Where an answer came from. */
export type CacheOutcome = 'miss' | 'lru' | 'redis' | 'coalesced' | 'bypassed';

/** One tier. Neither method rejects: a tier that cannot answer is a miss and a hook event. */
export interface CacheStore {
  /** The entry, if it has that shape. An entry of another shape is a miss. */
  get(key: CacheKey, shape: EntryShape): MaybePromise<CacheEntry | undefined>;
  set(key: CacheKey, entry: CacheEntry): MaybePromise<void>;
  /**
   * Removes entries, and drops writes of them that wait.
   * @returns how many there were; undefined if the tier does not confirm that all are gone
   */
  forget(keys: readonly CacheKey[]): MaybePromise<number | undefined>;
}

/** How many entries were removed. */
export interface RemovedEntries {
  readonly memory: number;
  readonly redis: number;
}

/**
 * A computation under way, as seen by the code that computes. It combines the claims of its waiters so far: the latest
 * deadline, the most urgent class with the flow of the first waiter of that class, and its leader's rule for a full
 * queue.
 */
export interface Flight extends SharedClaim {
  /** True once every waiter has left: the work is no longer wanted. */
  readonly abandoned: boolean;
  /** Called once, when every waiter has left; at once if that has already happened. */
  onAbandon(listener: () => void): void;
  /** Called at most once, when a waiter of a more urgent class has joined; not for earlier waiters. */
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
  /** Zero on a hit; for a joined flight only `queueMs`, the wait, is set. */
  readonly timings: ComputeTimings;
}

/** The result cache: LRU, then the flight under way, then Redis, then compute. */
export interface ResultCache {
  /**
   * Answers from the nearest tier. Returns without a promise on an LRU hit.
   * @param shape of the entries of the model that the key is for
   * @throws VerdictError cancelled or deadline_exceeded for this waiter only; the error of `compute`
   */
  resolve(
    key: CacheKey,
    shape: EntryShape,
    mode: CacheMode,
    claim: Claim,
    compute: (flight: Flight) => Promise<Computed>,
  ): MaybePromise<Resolved>;
  /**
   * Removes entries from all tiers. Computations of them that are under way answer their waiters and are not kept; what is asked
   * for afterwards is computed anew. Takes a few command timeouts of Redis at most.
   * @throws VerdictError unavailable, by rejection, if Redis does not confirm: memory has forgotten them then, Redis perhaps not
   */
  forget(keys: readonly CacheKey[]): Promise<RemovedEntries>;
}

/** Events for telemetry. None may throw. */
export interface CacheHooks {
  onLookup?(
    tier: 'lru' | 'redis',
    outcome: 'hit' | 'miss' | 'invalid' | 'error' | 'timeout' | 'skipped',
  ): void;
  /** An entry was rejected: one from Redis, or a computed one, which is not stored. */
  onInvalid?(origin: 'redis' | 'computed', fault: EntryFault): void;
  onJoin?(): void;
  onSize?(size: { readonly entries: number; readonly bytes: number }): void;
  onWrite?(tier: 'lru' | 'redis', outcome: 'ok' | 'error' | 'dropped'): void;
}
