import { randomUUID } from 'node:crypto';

/** The metadata key that carries it, both ways. */
export const requestIdKey = 'x-request-id';

const acceptable = /^[A-Za-z0-9._-]{1,128}$/;

/**
 * The caller's id where it is short and plain enough to stand in a log and in a header, else a new one. Ids that a
 * caller may not choose are replaced, never cut or escaped: what is echoed is what is logged.
 */
export function requestIdFrom(value: unknown): string {
  return typeof value === 'string' && acceptable.test(value) ? value : randomUUID();
}
