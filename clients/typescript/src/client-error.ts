import { status as grpcStatus, type ServiceError } from '@grpc/grpc-js';
import type { Status } from '../../../generated/google/rpc/status.js';
import {
  decodeDetails,
  type ErrorDetails,
  type FieldViolation,
  NO_DETAILS,
  parseStatus,
} from './status-details.js';

/** gRPC's canonical names of the codes that a failed call ends with. */
export type ClientErrorCode = Exclude<keyof typeof grpcStatus, 'OK'>;

interface ClientErrorInit extends ErrorDetails {
  readonly cause?: unknown;
}

/**
 * The one error of this client: a call that failed, or one input of a batch or a stream that did. What cannot be
 * told from the code is in `reason`; `violations` name the wrong fields of an `INVALID_ARGUMENT`.
 */
export class VerdictClientError extends Error {
  override readonly name = 'VerdictClientError';
  readonly code: ClientErrorCode;
  /** Stable, machine-readable cause in UPPER_SNAKE_CASE, such as `QUEUE_FULL`. Empty where none was sent. */
  readonly reason: string;
  /** Path and description of every wrong field. */
  readonly violations: readonly FieldViolation[];
  /** When trying again may help, in milliseconds from now. */
  readonly retryAfterMs: number | undefined;
  /** What was not found. */
  readonly resource: { readonly type: string; readonly name: string } | undefined;
  /** The call's `x-request-id`: the key to the server's log. */
  readonly requestId: string | undefined;

  constructor(code: ClientErrorCode, message: string, init: ClientErrorInit = NO_DETAILS) {
    super(message, init.cause === undefined ? undefined : { cause: init.cause });
    this.code = code;
    this.reason = init.reason;
    this.violations = init.violations;
    this.retryAfterMs = init.retryAfterMs;
    this.resource = init.resource;
    this.requestId = init.requestId;
  }
}

/** The error of a call that ended with `error`. `requestId` is the one that was sent, where one was. */
export function fromServiceError(error: ServiceError, requestId: string | undefined): VerdictClientError {
  const status = parseStatus(error.metadata?.get('grpc-status-details-bin')[0]);
  const details = status === undefined ? localDetails(error) : decodeDetails(status.details);
  const echoed = error.metadata?.get('x-request-id')[0];
  return new VerdictClientError(codeName(error.code), error.details, {
    ...details,
    requestId: details.requestId ?? (typeof echoed === 'string' ? echoed : requestId),
  });
}

/**
 * What is known of an error that no server explained. grpc-js refuses a reply that is larger than it takes with the code
 * that means overload, and tells the two apart in its message alone.
 */
function localDetails({ code, details }: ServiceError): ErrorDetails {
  const isTooLarge =
    code === grpcStatus.RESOURCE_EXHAUSTED &&
    /^Received message (larger than max|that decompresses to a size larger than)/.test(details);
  return isTooLarge ? { ...NO_DETAILS, reason: 'RESPONSE_TOO_LARGE' } : NO_DETAILS;
}

/** The error of one input, as a batch or a stream carries it. */
export function fromStatus(status: Status, requestId?: string): VerdictClientError {
  const details = decodeDetails(status.details);
  return new VerdictClientError(codeName(status.code), status.message, {
    ...details,
    requestId: details.requestId ?? requestId,
  });
}

/** The error of a call that its caller gave up. */
export function cancelled(signal: AbortSignal): VerdictClientError {
  return new VerdictClientError('CANCELLED', 'The call was cancelled by its signal', {
    ...NO_DETAILS,
    cause: signal.reason,
  });
}

/** The error of wrong arguments, found before anything was sent. */
export function invalidArgument(message: string): VerdictClientError {
  return new VerdictClientError('INVALID_ARGUMENT', message, { ...NO_DETAILS, reason: 'CLIENT_ARGUMENT' });
}

function codeName(code: number): ClientErrorCode {
  const name = grpcStatus[code];
  return name === undefined || name === 'OK' ? 'UNKNOWN' : (name as ClientErrorCode);
}
