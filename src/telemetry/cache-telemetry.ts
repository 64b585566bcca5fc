import type { Registry } from 'prom-client';
import type { CacheHooks, EntryFault } from '../cache/types.js';
import { CounterFamily, type CounterSeries } from './counter-family.js';
import { gauge } from './gauge.js';
import type { LineLimiter } from './line-limiter.js';
import type { Log } from './types.js';

type Tier = Parameters<NonNullable<CacheHooks['onLookup']>>[0];
type Outcome = Parameters<NonNullable<CacheHooks['onLookup']>>[1];
type Origin = Parameters<NonNullable<CacheHooks['onInvalid']>>[0];
type WriteOutcome = Parameters<NonNullable<CacheHooks['onWrite']>>[1];

const outcomes: readonly Outcome[] = ['hit', 'miss', 'invalid', 'error', 'timeout', 'skipped'];
const writeOutcomes: readonly WriteOutcome[] = ['ok', 'error', 'dropped'];
const computedFaults = ['labels', 'tokens', 'logits'] as const satisfies readonly EntryFault[];
const storedFaults: readonly EntryFault[] = ['type', 'length', 'mac', 'version', 'flags', ...computedFaults];

/** Both tiers of the result cache, and the computations that were shared, as metrics and log lines. */
export class CacheTelemetry implements CacheHooks {
  readonly #lookups: Record<Tier, Record<Outcome, CounterSeries>>;
  readonly #writes: Record<Tier, Record<WriteOutcome, CounterSeries>>;
  readonly #invalid: Record<Origin, Partial<Record<EntryFault, CounterSeries>>>;
  readonly #joins: CounterSeries;
  readonly #log: Log;
  readonly #limiter: LineLimiter;
  #size = { entries: 0, bytes: 0 };

  constructor({ registry, log, limiter }: { registry: Registry; log: Log; limiter: LineLimiter }) {
    this.#log = log;
    this.#limiter = limiter;
    const lookups = new CounterFamily(
      registry,
      'verdict_cache_requests_total',
      ['tier', 'outcome'],
      'Cache lookups by tier (lru, redis) and outcome: hit, miss, invalid (the entry was rejected and computed again), error, timeout, skipped (the breaker was open).',
    );
    const writes = new CounterFamily(
      registry,
      'verdict_cache_writes_total',
      ['tier', 'outcome'],
      'Cache writes by tier and outcome: ok, error, dropped (too many writes under way, or the breaker was open).',
    );
    const invalid = new CounterFamily(
      registry,
      'verdict_cache_invalid_entries_total',
      ['origin', 'reason'],
      'Cache entries rejected because the model cannot have produced them, by origin (redis: read from Redis; computed: not stored) and reason: type, length, mac, version, flags, labels, tokens, logits.',
    );
    const joins = new CounterFamily(
      registry,
      'verdict_cache_joins_total',
      [],
      'Inputs that joined a computation already under way (single-flight).',
    );
    this.#lookups = {
      lru: lookups.byValue('outcome', outcomes, { tier: 'lru' }),
      redis: lookups.byValue('outcome', outcomes, { tier: 'redis' }),
    };
    this.#writes = {
      lru: writes.byValue('outcome', writeOutcomes, { tier: 'lru' }),
      redis: writes.byValue('outcome', writeOutcomes, { tier: 'redis' }),
    };
    this.#invalid = {
      redis: invalid.byValue('reason', storedFaults, { origin: 'redis' }),
      computed: invalid.byValue('reason', computedFaults, { origin: 'computed' }),
    };
    this.#joins = joins.series();
    gauge(registry, 'verdict_cache_entries', [], 'Results held in memory.', () => [
      { value: this.#size.entries },
    ]);
    gauge(registry, 'verdict_cache_bytes', [], 'Bytes of the results held in memory.', () => [
      { value: this.#size.bytes },
    ]);
  }

  onLookup(tier: Tier, outcome: Outcome): void {
    this.#lookups[tier][outcome].add();
  }

  onWrite(tier: Tier, outcome: WriteOutcome): void {
    this.#writes[tier][outcome].add();
  }

  onInvalid(origin: Origin, reason: EntryFault): void {
    this.#invalid[origin][reason]?.add();
    const suppressed = this.#limiter.pass();
    if (suppressed !== undefined) this.#log.warn({ origin, reason, suppressed }, 'invalid cache entry');
  }

  onJoin(): void {
    this.#joins.add();
  }

  onSize(size: { readonly entries: number; readonly bytes: number }): void {
    this.#size.entries = size.entries;
    this.#size.bytes = size.bytes;
  }
}
