import type { SimulatedInput, Source } from './types.js';

/** A refusal without a delay must not become an endless loop at one point in time. */
const LEAST_PAUSE_MS = 1;

/**
 * Streams that always have something to send: each keeps `inFlight` texts in flight, and sends the next after an
 * answer, or after a refusal and its suggested delay.
 */
export function closedLoop(
  streams: number,
  inFlight: number,
  template: Omit<SimulatedInput, 'tokens' | 'flow'>,
  length: () => number,
): Source {
  return async (port) => {
    const slot = async (flow: number): Promise<void> => {
      while (port.isOpen) {
        const { outcome, retryAfterMs } = await port.submit({ ...template, tokens: length(), flow });
        if (outcome === 'answered' || outcome === 'late') continue;
        await port.sleep(Math.max(LEAST_PAUSE_MS, retryAfterMs));
      }
    };
    await Promise.all(Array.from({ length: streams * inFlight }, (_, i) => slot(i % streams)));
  };
}
