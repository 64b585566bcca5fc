import type { Claim, InputTrace } from '../claim.js';
import type { MaybePromise } from '../concurrency/maybe-promise.js';
import { callerLeft, VerdictError } from '../errors.js';
import { entryFault } from './entry-fault.js';
import type { LruStore } from './lru-store.js';
import { type SharedFlight, SingleFlight } from './single-flight.js';
import type {
  CacheEntry,
  CacheHooks,
  CacheKey,
  CacheMode,
  CacheStore,
  Computed,
  ComputeTimings,
  EntryShape,
  Flight,
  RemovedEntries,
  Resolved,
  ResultCache,
} from './types.js';

/** The tiers that hold results; either may be missing. */
export interface CacheTiers {
  readonly lru?: LruStore | undefined;
  readonly redis?: CacheStore | undefined;
}

/** How long a Redis that does not answer is left alone before another try is worth while. */
const RETRY_MS = 1_000;

const NO_TIMINGS: ComputeTimings = Object.freeze({ tokenizeMs: 0, queueMs: 0, inferenceMs: 0, batchSize: 0 });

/**
 * The result cache: memory, then the flight under way, then Redis, then compute. The flight asks Redis, so a hundred
 * callers with one text ask it once. All callers share an entry, and nobody changes it.
 */
export class TieredResultCache implements ResultCache {
  readonly #lru: LruStore | undefined;
  readonly #redis: CacheStore | undefined;
  readonly #flights: SingleFlight;
  readonly #hooks: CacheHooks;
  /** How often anything was forgotten. */
  #forgets = 0;

  constructor({ lru, redis }: CacheTiers, hooks: CacheHooks = {}) {
    this.#hooks = hooks;
    this.#lru = lru;
    this.#redis = redis;
    this.#flights = new SingleFlight(() => hooks.onJoin?.());
  }

  resolve(
    key: CacheKey,
    shape: EntryShape,
    mode: CacheMode,
    claim: Claim,
    compute: (flight: Flight) => Promise<Computed>,
  ): MaybePromise<Resolved> {
    if (mode === 'use') {
      const entry = this.#lookUp(key, claim.trace);
      if (entry !== undefined) return { entry, outcome: 'lru', timings: NO_TIMINGS };
      return this.#flights.joinOrStart(key, claim, (flight) => this.#find(key, shape, flight, compute));
    }
    if (mode === 'refresh') {
      return this.#flights.replace(key, claim, (flight) => this.#compute(key, shape, flight, compute));
    }
    return this.#flights.alone(claim, async (flight) => {
      const { entry, timings } = await compute(flight);
      return { entry, outcome: 'bypassed', timings };
    });
  }

  #lookUp(key: CacheKey, trace: InputTrace | undefined): CacheEntry | undefined {
    if (trace === undefined || this.#lru === undefined) return this.#lru?.get(key);
    const startedAt = performance.now();
    const entry = this.#lru.get(key);
    trace.stage('memory', startedAt, performance.now());
    return entry;
  }

  async forget(keys: readonly CacheKey[]): Promise<RemovedEntries> {
    const before = this.#forgetHere(keys);
    const inRedis = this.#redis === undefined ? 0 : await this.#redis.forget(keys);
    // A flight that began meanwhile may have found in Redis what was still there.
    const meanwhile = this.#forgetHere(keys);
    if (inRedis === undefined) throw redisKeepsEntries();
    return { memory: before + meanwhile, redis: inRedis };
  }

  #forgetHere(keys: readonly CacheKey[]): number {
    this.#forgets++;
    for (const key of keys) this.#flights.supersede(key);
    return this.#lru?.forget(keys) ?? 0;
  }

  async #find(
    key: CacheKey,
    shape: EntryShape,
    flight: SharedFlight,
    compute: (flight: Flight) => Promise<Computed>,
  ): Promise<Resolved> {
    const { trace } = flight;
    const startedAt = trace === undefined ? 0 : performance.now();
    // Without a connection the store answers at once, which saves a turn of the event loop.
    const lookup = this.#redis?.get(key, shape);
    const entry = lookup instanceof Promise ? await lookup : lookup;
    if (lookup instanceof Promise) trace?.stage('redis', startedAt, performance.now());
    if (flight.abandoned) throw callerLeft();
    if (entry === undefined) return this.#compute(key, shape, flight, compute);
    if (!flight.superseded) this.#lru?.set(key, entry);
    return { entry, outcome: 'redis', timings: NO_TIMINGS };
  }

  async #compute(
    key: CacheKey,
    shape: EntryShape,
    flight: SharedFlight,
    compute: (flight: Flight) => Promise<Computed>,
  ): Promise<Resolved> {
    const forgets = this.#forgets;
    const { entry, timings } = await compute(flight);
    // A flight that all have left is no longer under way for `supersede`: it may have been forgotten unnoticed.
    const isForgotten = flight.superseded || (flight.abandoned && forgets !== this.#forgets);
    if (!isForgotten) this.#keep(key, shape, entry);
    return { entry, outcome: 'miss', timings };
  }

  /** Every computed entry is stored here. One that the model cannot have produced is answered but not stored. */
  #keep(key: CacheKey, shape: EntryShape, entry: CacheEntry): void {
    const fault = entryFault(entry, shape);
    if (fault !== undefined) {
      this.#hooks.onInvalid?.('computed', fault);
      return;
    }
    this.#lru?.set(key, entry);
    void this.#redis?.set(key, entry);
  }
}

function redisKeepsEntries(): VerdictError {
  return new VerdictError(
    'unavailable',
    'Redis does not confirm that the answers are gone: they are gone from memory alone. Try again',
    { reason: 'CACHE_NOT_FORGOTTEN', retryAfterMs: RETRY_MS },
  );
}
