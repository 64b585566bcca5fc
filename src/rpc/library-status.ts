import { status as grpcStatus } from '@grpc/grpc-js';
import type { Status } from '../../generated/google/rpc/status.js';
import { deadlineExceeded, VerdictError } from '../errors.js';
import { asVerdictError, statusOf } from './status.js';

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
export function fromLibrary(status: { code: number; details: string }, requestId: string): Status {
  switch (status.code) {
    case grpcStatus.DEADLINE_EXCEEDED:
      return statusOf(deadlineExceeded(), requestId);
    case grpcStatus.INTERNAL:
      if (status.details.startsWith('Invalid grpc-timeout')) return statusOf(malformedTimeout(), requestId);
  }
  return statusOf(asVerdictError(status), requestId);
}

function malformedTimeout(): VerdictError {
  return new VerdictError('invalid_argument', 'grpc-timeout: at most 8 digits and a unit of HMSmun', {
    reason: 'MALFORMED_TIMEOUT',
  });
}
