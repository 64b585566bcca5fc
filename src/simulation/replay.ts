import type { SimulatedInput, Source } from './types.js';

/** An input of a recorded trace. */
export interface TracedInput extends SimulatedInput {
  /** Since the start of the trace, in milliseconds. */
  readonly atMs: number;
}

/**
 * The arrivals of a trace, at their times, whether the service keeps up or not.
 *
 * @param speed 2: in half the time, at twice the rate
 */
export function replay(trace: readonly TracedInput[], speed: number): Source {
  return async (port) => {
    for (const input of trace) {
      const waitMs = input.atMs / speed - port.now();
      if (waitMs > 0) await port.sleep(waitMs);
      if (!port.isOpen) return;
      void port.submit(input);
    }
  };
}
