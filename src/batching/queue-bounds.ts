/**
 * While both kinds of callers compete for a full queue, each may hold this much of it, so that a quarter is left to the
 * other: saturating streams cannot shut out unary calls, nor the reverse.
 */
const LARGEST_SHARE = 0.75;

/** What of an item the bounds look at. */
export interface Bounded {
  readonly tokens: number;
  readonly whenFull: 'refuse' | 'wait';
  /** Its own share of a run. */
  readonly plainMs: number;
}

interface Held {
  items: number;
  tokens: number;
}

/** What is queued (or set aside in a formed batch), and whether more may come in. */
export class QueueBounds {
  readonly #maxItems: number;
  readonly #maxTokens: number;
  readonly #held: Record<'refuse' | 'wait', Held> = {
    refuse: { items: 0, tokens: 0 },
    wait: { items: 0, tokens: 0 },
  };
  #plainMs = 0;

  constructor(maxItems: number, maxTokens: number) {
    this.#maxItems = maxItems;
    this.#maxTokens = maxTokens;
  }

  get items(): number {
    return this.#held.refuse.items + this.#held.wait.items;
  }

  get tokens(): number {
    return this.#held.refuse.tokens + this.#held.wait.tokens;
  }

  /** Sum of the items' shares of a run, in uncorrected milliseconds. */
  get plainMs(): number {
    return this.#plainMs;
  }

  /**
   * Whether the item may join the queue. Those who wait outside leave room for those who would be refused; these leave
   * room only while somebody waits.
   */
  admits(item: Bounded, somebodyWaits: boolean): boolean {
    if (this.items === 0) return true;
    if (this.items >= this.#maxItems || this.tokens + item.tokens > this.#maxTokens) return false;
    if (item.whenFull === 'refuse' && !somebodyWaits) return true;
    const held = this.#held[item.whenFull];
    if (held.items === 0) return true;
    return (
      held.items < Math.ceil(this.#maxItems * LARGEST_SHARE) &&
      held.tokens + item.tokens <= this.#maxTokens * LARGEST_SHARE
    );
  }

  enter(item: Bounded): void {
    const held = this.#held[item.whenFull];
    held.items++;
    held.tokens += item.tokens;
    this.#plainMs += item.plainMs;
  }

  leave(item: Bounded): void {
    const held = this.#held[item.whenFull];
    held.items--;
    held.tokens -= item.tokens;
    // Sums of fractions drift; an empty queue is the occasion to start afresh.
    this.#plainMs = this.items === 0 ? 0 : this.#plainMs - item.plainMs;
  }
}
