import { exponential, type Random } from './random.js';
import type { SimulatedInput, Source } from './types.js';

/**
 * Independent callers, each with one text: they arrive at random, whether the service keeps up or not (an open loop).
 */
export function poissonArrivals(
  ratePerSecond: number,
  template: Omit<SimulatedInput, 'tokens' | 'flow'>,
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
