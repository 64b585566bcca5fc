import { VerdictError } from '../errors.js';
import type { CallRefusal } from './types.js';

/** The reasons of errors that the edge refuses calls with for their form, their size or their slowness. */
const refusals: Readonly<Record<string, CallRefusal>> = {
  MALFORMED_MESSAGE: 'malformed_message',
  MALFORMED_TIMEOUT: 'malformed_timeout',
  MESSAGE_TIMEOUT: 'message_timeout',
  MESSAGE_TOO_LARGE: 'message_too_large',
  STREAM_IDLE: 'stream_idle',
  TOO_MANY_FIELDS: 'too_many_fields',
  TOO_MANY_WATCHERS: 'too_many_watchers',
};

/** Undefined: the call did not end at a limit of the edge. */
export function callRefusalOf(error: unknown): CallRefusal | undefined {
  return error instanceof VerdictError ? refusals[error.reason] : undefined;
}
