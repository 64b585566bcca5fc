import type { InputClaim } from '../../src/classify/types.js';

/** A caller that waits for ever, unless told otherwise. */
export function patientClaim(overrides: Partial<InputClaim> = {}): InputClaim {
  return {
    signal: new AbortController().signal,
    deadlineAt: Number.POSITIVE_INFINITY,
    whenFull: 'refuse',
    serviceClass: 'interactive',
    flow: undefined,
    keyspace: '',
    ...overrides,
  };
}
