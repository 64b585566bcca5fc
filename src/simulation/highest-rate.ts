import type { Answer, SimulatedInput } from './types.js';

/** The promise: this share of the interactive inputs is answered within this time. */
export interface Promised {
  readonly withinMs: number;
  /** 0.99: at most one in a hundred takes longer, is late or is refused. */
  readonly share: number;
}

/** The precision of the search. */
const PRECISION = 1.01;

/** No machine answers more: the search ends here. */
const HIGHEST_RATE = 1e7;
/** Below this nobody would call it a service: the search ends here. */
const LOWEST_RATE = 0.01;

/** Counts how many interactive inputs kept a promise. */
export class PromiseCount {
  readonly #promised: Promised;
  #arrivals = 0;
  #kept = 0;

  constructor(promised: Promised) {
    this.#promised = promised;
  }

  add(input: SimulatedInput, answer: Answer, latencyMs: number): void {
    if (input.serviceClass !== 'interactive') return;
    this.#arrivals++;
    if (answer.outcome === 'answered' && latencyMs <= this.#promised.withinMs) this.#kept++;
  }

  get isKept(): boolean {
    return this.#kept >= this.#arrivals * this.#promised.share;
  }
}

/**
 * The highest rate, within 1 %, at which the promise is kept: doubles or halves until one rate keeps it and its double
 * does not, then narrows down.
 *
 * @param keeps simulates a rate and tells whether the promise is kept there
 * @param firstRate where the search begins
 * @returns 0 if no rate keeps it
 */
export async function highestRate(
  keeps: (ratePerSecond: number) => Promise<boolean>,
  firstRate: number,
): Promise<number> {
  let kept = 0;
  let broken = Number.POSITIVE_INFINITY;
  for (let rate = firstRate; kept === 0 || broken === Number.POSITIVE_INFINITY; ) {
    if (await keeps(rate)) {
      kept = rate;
      rate *= 2;
    } else {
      broken = rate;
      rate /= 2;
    }
    if (rate < LOWEST_RATE) return 0;
    if (rate > HIGHEST_RATE) return kept;
  }
  while (broken / kept > PRECISION) {
    const between = Math.sqrt(kept * broken);
    if (await keeps(between)) kept = between;
    else broken = between;
  }
  return kept;
}
