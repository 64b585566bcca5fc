import { Code } from '../../generated/google/rpc/code.js';
import type { Status } from '../../generated/google/rpc/status.js';
import { type ErrorCode, VerdictError } from '../errors.js';
import { errorDetails, errorInfo, plainText } from './error-details.js';

const codes = {
  cancelled: Code.CANCELLED,
  invalid_argument: Code.INVALID_ARGUMENT,
  not_found: Code.NOT_FOUND,
  resource_exhausted: Code.RESOURCE_EXHAUSTED,
  deadline_exceeded: Code.DEADLINE_EXCEEDED,
  unavailable: Code.UNAVAILABLE,
  internal: Code.INTERNAL,
} as const satisfies Record<ErrorCode, Code>;

const maxMessageChars = 256;

/** The status of a call that went well. */
export const okStatus: Status = { code: Code.OK, message: '', details: [] };

/** Names of the codes, as metrics and logs write them. */
export const codeNames: ReadonlyMap<number, string> = new Map(
  Object.entries(Code).map(([name, code]) => [code, name]),
);

/** Whatever was thrown, as a VerdictError. What is not one already is a defect, and says nothing to callers. */
export function asVerdictError(error: unknown): VerdictError {
  if (error instanceof VerdictError) return error;
  return new VerdictError('internal', 'internal error', { reason: 'INTERNAL', cause: error });
}

/** The one place where Verdict's errors become gRPC's: code, message and google.rpc details. */
export function statusOf(error: VerdictError, requestId: string): Status {
  return {
    code: codes[error.code],
    message: plainText(error.message, maxMessageChars),
    details: errorDetails(error, requestId),
  };
}

/** A method that does not exist, or one called with a number of messages that it does not take. */
export function unimplemented(error: { readonly message: string; readonly reason: string }): Status {
  return { code: Code.UNIMPLEMENTED, message: error.message, details: [errorInfo(error.reason)] };
}
