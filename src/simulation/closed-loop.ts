import type { Arrival, Source } from './types.js';

/** A refusal without a delay of its own must not become a loop that time cannot leave. */
const LEAST_PAUSE_MS = 1;

/**
 * Streams that always have something to send: each keeps `inFlight` texts under way, and an answer brings the next. A
 * refusal brings it too, after the delay that it suggests.
 */
export function closedLoop(
  streams: number,
  inFlight: number,
  template: Omit<Arrival, 'tokens' | 'flow'>,
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
