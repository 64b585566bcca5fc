/** How long it takes until a lowered budget is whole again. Memory that others hold comes back in minutes, if at all. */
const RECOVERY_MS = 600_000;

/** The padded-token budget that holds at the moment: running out of memory lowers it, time raises it again. */
export class EffectiveBudget {
  readonly #configured: number;
  #lowered = 0;
  #loweredAt = Number.NEGATIVE_INFINITY;

  constructor(configuredTokens: number) {
    this.#configured = configuredTokens;
  }

  /** The budget at `now`: it rises in a straight line from where it was lowered to what is configured. */
  tokens(now: number): number {
    const share = (now - this.#loweredAt) / RECOVERY_MS;
    if (share >= 1) return this.#configured;
    return Math.floor(this.#lowered + (this.#configured - this.#lowered) * share);
  }

  /** A run of `paddedTokens` did not fit the memory: half of it is the budget now, if that is less than it was. */
  lower(paddedTokens: number, now: number): void {
    const half = Math.max(1, Math.floor(paddedTokens / 2));
    if (half >= this.tokens(now)) return;
    this.#lowered = half;
    this.#loweredAt = now;
  }
}
