import type { Claim } from '../../src/claim.js';

/** A caller that waits for ever, unless told otherwise. */
export function patientClaim(overrides: Partial<Claim> = {}): Claim {
  return {
    signal: new AbortController().signal,
    deadlineAt: Number.POSITIVE_INFINITY,
    whenFull: 'refuse',
    serviceClass: 'interactive',
    flow: undefined,
    ...overrides,
  };
}
