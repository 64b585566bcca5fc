import type { RollbackEvidence, RollbackRule } from '../models/routing.js';
import { SlidingCounts } from './sliding-counts.js';
import { surelyAbove } from './surely-above.js';

const kinds = ['answered', 'failed', 'same', 'flipped'] as const;

/** Judges a candidate by its rule. Every event answers with the evidence, once a limit is passed. */
export class RollbackWatch {
  readonly rule: RollbackRule;
  readonly #counts: SlidingCounts<(typeof kinds)[number]>;

  constructor(rule: RollbackRule) {
    this.rule = rule;
    this.#counts = new SlidingCounts(kinds, rule.windowSeconds * 1000);
  }

  /** @param now in milliseconds on any clock, the same for all events */
  note(kind: (typeof kinds)[number], now: number): RollbackEvidence | undefined {
    this.#counts.add(kind, now);
    const { answered, failed, same, flipped } = this.#counts.totals(now);
    const { maxErrorPercent, maxFlipPercent } = this.rule;
    return (
      this.#evidence('errors', failed, answered + failed, maxErrorPercent) ??
      this.#evidence('flips', flipped, same + flipped, maxFlipPercent)
    );
  }

  #evidence(
    cause: RollbackEvidence['cause'],
    count: number,
    observations: number,
    limit: number | undefined,
  ): RollbackEvidence | undefined {
    if (limit === undefined || observations < this.rule.minObservations) return undefined;
    return surelyAbove(count, observations, limit) ? { cause, count, observations } : undefined;
  }
}
