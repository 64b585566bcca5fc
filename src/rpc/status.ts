import { status as grpcStatus, Metadata } from '@grpc/grpc-js';
import { Code } from '../../generated/google/rpc/code.js';
import { Status } from '../../generated/google/rpc/status.js';
import { deadlineExceeded, type ErrorCode, VerdictError } from '../errors.js';
import { errorDetails, errorInfo, plainText } from './error-details.js';

const codes = {
  cancelled: Code.CANCELLED,
  invalid_argument: Code.INVALID_ARGUMENT,
  unauthenticated: Code.UNAUTHENTICATED,
  permission_denied: Code.PERMISSION_DENIED,
  not_found: Code.NOT_FOUND,
  resource_exhausted: Code.RESOURCE_EXHAUSTED,
  deadline_exceeded: Code.DEADLINE_EXCEEDED,
  unavailable: Code.UNAVAILABLE,
  internal: Code.INTERNAL,
} as const satisfies Record<ErrorCode, Code>;

const maxMessageChars = 256;

const detailsKey = 'grpc-status-details-bin';
/** What gRPC's own retries read: milliseconds. */
const pushbackKey = 'grpc-retry-pushback-ms';
/** What HTTP clients read: whole seconds. */
const retryAfterKey = 'retry-after';
/** How to authenticate, which HTTP wants with every 401. */
const challengeKey = 'www-authenticate';

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

/** What the log tells of an error: what went wrong underneath, where that is known. */
export function causeOf(error: unknown): unknown {
  return error instanceof VerdictError ? (error.cause ?? error) : error;
}

/** The error of a message that does not decode. */
export function malformedMessage(): VerdictError {
  return new VerdictError(
    'invalid_argument',
    'the message is not valid protobuf, or a string in it is not UTF-8',
    {
      reason: 'MALFORMED_MESSAGE',
    },
  );
}

/**
 * What grpc-js ends calls with by itself, in this service's words: its own messages quote headers of the caller,
 * and it blames the server (INTERNAL) for requests that are wrong.
 */
export function fromLibrary(status: { code: number; details: string }): VerdictError {
  switch (status.code) {
    case grpcStatus.DEADLINE_EXCEEDED:
      return deadlineExceeded();
    case grpcStatus.INTERNAL:
      if (status.details.startsWith('Invalid grpc-timeout')) return malformedTimeout();
  }
  return asVerdictError(status);
}

/** The error of a `grpc-timeout` that is none. */
export function malformedTimeout(): VerdictError {
  return new VerdictError(
    'invalid_argument',
    'grpc-timeout: must have at most 8 digits and a unit of H, M, S, m, u or n',
    {
      reason: 'MALFORMED_TIMEOUT',
    },
  );
}

/**
 * What goes out with a status that is not OK: its details, when to try again, how to authenticate.
 * @param error what the status was made of
 * @param transcoded whether the caller speaks HTTP, through Envoy's transcoder
 */
export function statusMetadata(status: Status, error: unknown, transcoded: boolean): Metadata {
  const metadata = new Metadata();
  metadata.set(detailsKey, Buffer.from(Status.encode(status).finish()));
  const retryAfterMs = error instanceof VerdictError ? error.retryAfterMs : undefined;
  if (retryAfterMs !== undefined) setRetryDelay(metadata, retryAfterMs, transcoded);
  if (transcoded && status.code === Code.UNAUTHENTICATED) metadata.set(challengeKey, 'Bearer');
  return metadata;
}

/**
 * Tells in a refusal when to try again, for clients that decode no error details.
 * @param transcoded whether the caller speaks HTTP, through Envoy's transcoder, which makes metadata headers
 */
function setRetryDelay(metadata: Metadata, retryAfterMs: number, transcoded: boolean): void {
  if (transcoded) metadata.set(retryAfterKey, String(Math.max(1, Math.ceil(retryAfterMs / 1000))));
  else metadata.set(pushbackKey, String(Math.ceil(retryAfterMs)));
}
