/**
 * How long a lowered budget takes to recover fully. Memory that other processes hold is freed within minutes, if at
 * all.
 */
const RECOVERY_MS = 600_000;

/** The current padded-token budget: running out of memory lowers it, time raises it again. */
export class EffectiveBudget {
  readonly #configured: number;
  #lowered = 0;
  #loweredAt = Number.NEGATIVE_INFINITY;

  constructor(configuredTokens: number) {
    this.#configured = configuredTokens;
  }

  /** The budget at `now`: it rises linearly from its lowered value to the configured one. */
  tokens(now: number): number {
    const share = (now - this.#loweredAt) / RECOVERY_MS;
    if (share >= 1) return this.#configured;
    return Math.floor(this.#lowered + (this.#configured - this.#lowered) * share);
  }

  /** A run of `paddedTokens` did not fit in memory: half of that becomes the budget, if it is less than before. */
  lower(paddedTokens: number, now: number): void {
    const half = Math.max(1, Math.floor(paddedTokens / 2));
    if (half >= this.tokens(now)) return;
    this.#lowered = half;
    this.#loweredAt = now;
  }
}
