import type { Registry } from 'prom-client';
import type { CacheHooks } from '../cache/types.js';
import { CounterFamily, type CounterSeries } from './counter-family.js';
import { gauge } from './gauge.js';

type Tier = Parameters<NonNullable<CacheHooks['onLookup']>>[0];
type Outcome = Parameters<NonNullable<CacheHooks['onLookup']>>[1];
type WriteOutcome = Parameters<NonNullable<CacheHooks['onWrite']>>[1];

const outcomes: readonly Outcome[] = ['hit', 'miss', 'error', 'timeout', 'skipped'];
const writeOutcomes: readonly WriteOutcome[] = ['ok', 'error', 'dropped'];

/** Both tiers of the result cache, and the computations that were shared. */
export class CacheMetrics implements CacheHooks {
  readonly #lookups: Record<Tier, Record<Outcome, CounterSeries>>;
  readonly #writes: Record<Tier, Record<WriteOutcome, CounterSeries>>;
  readonly #joins: CounterSeries;
  #size = { entries: 0, bytes: 0 };

  constructor(registry: Registry) {
    const lookups = new CounterFamily(
      registry,
      'verdict_cache_requests_total',
      ['tier', 'outcome'],
      'Look-ups by tier (lru, redis) and outcome: hit, miss, error, timeout, skipped (the breaker was open).',
    );
    const writes = new CounterFamily(
      registry,
      'verdict_cache_writes_total',
      ['tier', 'outcome'],
      'Results written, by tier and outcome: ok, error, dropped (too many writes under way, or the breaker was open).',
    );
    const joins = new CounterFamily(
      registry,
      'verdict_cache_joins_total',
      [],
      'Inputs that shared a computation already under way (single-flight).',
    );
    this.#lookups = {
      lru: lookups.byValue('outcome', outcomes, { tier: 'lru' }),
      redis: lookups.byValue('outcome', outcomes, { tier: 'redis' }),
    };
    this.#writes = {
      lru: writes.byValue('outcome', writeOutcomes, { tier: 'lru' }),
      redis: writes.byValue('outcome', writeOutcomes, { tier: 'redis' }),
    };
    this.#joins = joins.series();
    gauge(registry, 'verdict_cache_entries', [], "Results in the server's own memory.", () => [
      { value: this.#size.entries },
    ]);
    gauge(registry, 'verdict_cache_bytes', [], "Bytes of the results in the server's own memory.", () => [
      { value: this.#size.bytes },
    ]);
  }

  onLookup(tier: Tier, outcome: Outcome): void {
    this.#lookups[tier][outcome].add();
  }

  onWrite(tier: Tier, outcome: WriteOutcome): void {
    this.#writes[tier][outcome].add();
  }

  onJoin(): void {
    this.#joins.add();
  }

  onSize(size: { readonly entries: number; readonly bytes: number }): void {
    this.#size.entries = size.entries;
    this.#size.bytes = size.bytes;
  }
}
