import type { Any } from '../../../generated/google/protobuf/any.js';
import {
  BadRequest,
  ErrorInfo,
  RequestInfo,
  ResourceInfo,
  RetryInfo,
} from '../../../generated/google/rpc/error_details.js';
import { Status } from '../../../generated/google/rpc/status.js';

/** One wrong field of a request: where it is, and what is allowed there. */
export interface FieldViolation {
  /** Path from the message: `text`, `pair.text_pair`, `options.top_k`, `inputs[3].text`. */
  readonly field: string;
  readonly description: string;
}

/** What the google.rpc details of an error say. */
export interface ErrorDetails {
  readonly reason: string;
  readonly violations: readonly FieldViolation[];
  readonly retryAfterMs: number | undefined;
  readonly resource: { readonly type: string; readonly name: string } | undefined;
  readonly requestId: string | undefined;
}

export const NO_DETAILS: ErrorDetails = {
  reason: '',
  violations: [],
  retryAfterMs: undefined,
  resource: undefined,
  requestId: undefined,
};

/** Reads a `grpc-status-details-bin` value. A proxy may have put anything there: what is no Status is `undefined`. */
export function parseStatus(value: unknown): Status | undefined {
  if (!(value instanceof Uint8Array)) return undefined;
  try {
    return Status.decode(value);
  } catch {
    return undefined;
  }
}

/** Reads the details that Verdict sends and passes over all others, broken ones included. */
export function decodeDetails(details: readonly Any[]): ErrorDetails {
  let read = NO_DETAILS;
  for (const detail of details) {
    try {
      read = { ...read, ...decodeDetail(detail) };
    } catch {
      // A detail that does not parse must not hide the error that it came with.
    }
  }
  return read;
}

function decodeDetail({ typeUrl, value }: Any): Partial<ErrorDetails> {
  switch (typeUrl.slice(typeUrl.lastIndexOf('/') + 1)) {
    case 'google.rpc.ErrorInfo':
      return { reason: ErrorInfo.decode(value).reason };
    case 'google.rpc.BadRequest':
      return {
        violations: BadRequest.decode(value).fieldViolations.map(({ field, description }) => ({
          field,
          description,
        })),
      };
    case 'google.rpc.RetryInfo': {
      const delay = RetryInfo.decode(value).retryDelay;
      return { retryAfterMs: delay && Number(delay.seconds) * 1000 + delay.nanos / 1e6 };
    }
    case 'google.rpc.ResourceInfo': {
      const { resourceType, resourceName } = ResourceInfo.decode(value);
      return { resource: { type: resourceType, name: resourceName } };
    }
    case 'google.rpc.RequestInfo':
      return { requestId: RequestInfo.decode(value).requestId };
    default:
      return {};
  }
}
