import { VerdictError } from '../errors.js';
import type { InboundLimits, MessageProblem } from './inbound-messages.js';
import { inflatedStart } from './inflater.js';
import type { Method } from './method.js';
import { scanFields } from './scan-fields.js';
import { malformedMessage, unimplemented } from './status.js';

/** What a call ends with whose message is compressed in a way that is not taken. */
export const unsupportedCompression = unimplemented({
  message: 'unsupported compression',
  reason: 'UNSUPPORTED_COMPRESSION',
});

/** The value of `grpc-accept-encoding`. */
export function acceptedEncodings({ compression }: InboundLimits): string {
  return compression ? 'identity,deflate,gzip' : 'identity';
}

/** The error of a message that is not decoded. */
export function refusedMessage(
  problem: Exclude<MessageProblem, { kind: 'encoding' }>,
  { route, limits, fields }: Method,
): VerdictError {
  const { maxMessageBytes, maxRatio } = limits;
  if (problem.kind === 'malformed') return malformedMessage();
  const method = `${route.service}/${route.method}`;
  if (problem.kind === 'too-large') {
    return new VerdictError(
      'resource_exhausted',
      `the message has ${problem.bytes} bytes; ${method} takes at most ${maxMessageBytes}`,
      { reason: 'MESSAGE_TOO_LARGE' },
    );
  }
  // Too many inputs are told as such, however they came: the beginning is enough to see it.
  const start = fields === undefined ? undefined : inflatedStart(problem.body, problem.encoding);
  const tooMany = start === undefined || fields === undefined ? undefined : scanFields(start, fields);
  return (
    tooMany ??
    new VerdictError(
      'resource_exhausted',
      `the message inflates to more than ${maxRatio} times its size, or to more than the ${maxMessageBytes} bytes that ${method} takes`,
      { reason: 'MESSAGE_TOO_LARGE' },
    )
  );
}
