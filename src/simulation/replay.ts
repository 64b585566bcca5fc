import type { Arrival, Source } from './types.js';

/** An arrival of a recorded trace. */
export interface TracedArrival extends Arrival {
  /** Since the start of the trace, in milliseconds. */
  readonly atMs: number;
}

/**
 * The arrivals of a trace, at their times, whether the service keeps up or not.
 *
 * @param speed 2: in half the time, at twice the rate
 */
export function replay(trace: readonly TracedArrival[], speed: number): Source {
  return async (port) => {
    for (const arrival of trace) {
      const waitMs = arrival.atMs / speed - port.now();
      if (waitMs > 0) await port.sleep(waitMs);
      if (!port.isOpen) return;
      void port.submit(arrival);
    }
  };
}
