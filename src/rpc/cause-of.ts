import { VerdictError } from '../errors.js';

/** What the log tells of an error: what went wrong underneath, where that is known. */
export function causeOf(error: unknown): unknown {
  return error instanceof VerdictError ? (error.cause ?? error) : error;
}
