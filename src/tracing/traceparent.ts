import { isSpanContextValid, type SpanContext } from '@opentelemetry/api';
import { parseTraceParent } from '@opentelemetry/core';

/** The metadata key of W3C Trace Context: https://www.w3.org/TR/trace-context/ */
export const traceparentKey = 'traceparent';

/** That of version 00 has 55. V8 keeps the whole header for the ids in it, as long as a span or an exemplar has them. */
const maxChars = 256;

/** The span that a call was made in. Undefined for a header that is missing or malformed: the call begins a trace then. */
export function parentOf(header: string | undefined): SpanContext | undefined {
  if (header === undefined || header.length > maxChars) return undefined;
  const parent = parseTraceParent(header);
  return parent !== null && isSpanContextValid(parent) ? { ...parent, isRemote: true } : undefined;
}
