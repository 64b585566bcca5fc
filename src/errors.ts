/**
 * The codes that Verdict's errors carry: the part of gRPC's canonical set that the contract uses. `rpc/status.ts`
 * maps them, and does not compile until a new one is mapped.
 */
export type ErrorCode =
  | 'cancelled'
  | 'invalid_argument'
  | 'unauthenticated'
  | 'permission_denied'
  | 'not_found'
  | 'resource_exhausted'
  | 'deadline_exceeded'
  | 'unavailable'
  | 'internal';

/** One wrong field of a request: where it is, and what is allowed there. Never the caller's text. */
export interface FieldViolation {
  /** Path from the message: `text`, `pair.text_pair`, `options.top_k`. The edge puts `inputs[3].` before it. */
  readonly field: string;
  readonly description: string;
}

/** A limit of one caller. */
export interface QuotaViolation {
  /** Whose limit it is. */
  readonly subject: string;
  /** `at most 600 inputs a minute`. */
  readonly description: string;
}

export interface VerdictErrorDetails {
  /** Stable, machine-readable cause in UPPER_SNAKE_CASE: `QUEUE_FULL`, `MODEL_NOT_FOUND`. */
  readonly reason: string;
  readonly violations?: readonly FieldViolation[];
  /** When trying again may help, in milliseconds from now. */
  readonly retryAfterMs?: number;
  /** What was not found. */
  readonly resource?: { readonly type: string; readonly name: string };
  /** The limit of a caller that was reached. */
  readonly quota?: QuotaViolation;
  readonly cause?: unknown;
}

/**
 * The one error type that crosses folders. Its message is meant for callers: it names fields and limits and never
 * holds a caller's text, a key or a path. Details for operators go into `cause`.
 */
export class VerdictError extends Error {
  override readonly name = 'VerdictError';
  readonly code: ErrorCode;
  readonly reason: string;
  readonly violations: readonly FieldViolation[];
  readonly retryAfterMs: number | undefined;
  readonly resource: { readonly type: string; readonly name: string } | undefined;
  readonly quota: QuotaViolation | undefined;

  constructor(code: ErrorCode, message: string, details: VerdictErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.reason = details.reason;
    this.violations = details.violations ?? [];
    this.retryAfterMs = details.retryAfterMs;
    this.resource = details.resource;
    this.quota = details.quota;
  }
}

/** An INVALID_ARGUMENT error that names one field. */
export function invalidField(field: string, description: string): VerdictError {
  return new VerdictError('invalid_argument', `${field}: ${description}`, {
    reason: 'INVALID_FIELD',
    violations: [{ field, description }],
  });
}

/** The deadline has passed. */
export function deadlineExceeded(): VerdictError {
  return new VerdictError('deadline_exceeded', 'the deadline has passed', { reason: 'DEADLINE_EXCEEDED' });
}

/** Nobody is waiting for the work any more. */
export function callerLeft(): VerdictError {
  return new VerdictError('cancelled', 'the caller has left', { reason: 'CANCELLED' });
}

/** A stopping server refuses or gives up the work. */
export function shuttingDown(): VerdictError {
  return new VerdictError('unavailable', 'the server is shutting down', { reason: 'DRAINING' });
}
