import type { HandledCall } from '../rpc/types.js';
import type { LogFields } from './types.js';

/** The trace that a line belongs to, under the names that OpenTelemetry gives them in logs. */
export function traceFields(trace: HandledCall['trace']): LogFields {
  if (trace === undefined) return {};
  const { traceId, spanId } = trace;
  return { trace_id: traceId, ...(spanId === undefined ? {} : { span_id: spanId }) };
}
