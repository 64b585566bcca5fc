import type { Waiter } from '../../src/cache/types.js';

/** A caller that waits for ever, unless told otherwise. */
export function patientWaiter(overrides: Partial<Waiter> = {}): Waiter {
  return { signal: new AbortController().signal, deadlineAt: Number.POSITIVE_INFINITY, ...overrides };
}
