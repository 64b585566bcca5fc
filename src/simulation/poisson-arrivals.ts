import { exponential, type Random } from './random.js';
import type { Arrival, Source } from './types.js';

/**
 * Callers who know nothing of each other, each with one text: they come at random, whether the service keeps up or not
 * (an open loop).
 */
export function poissonArrivals(
  ratePerSecond: number,
  template: Omit<Arrival, 'tokens' | 'flow'>,
  length: () => number,
  random: Random,
): Source {
  return async (port) => {
    for (;;) {
      await port.sleep(exponential(random, 1_000 / ratePerSecond));
      if (!port.isOpen) return;
      void port.submit({ ...template, tokens: length(), flow: undefined });
    }
  };
}
