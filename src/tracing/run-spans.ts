import { type Attributes, SpanStatusCode } from '@opentelemetry/api';
import { ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';
import type { TracedRun } from '../batching/types.js';
import { InputSpans } from './input-spans.js';
import type { SpanWriter } from './span-writer.js';

/**
 * A run of a batch with traced inputs in it: a span that belongs to none of their traces and links to all of them, and in each
 * of their traces a span that links back.
 */
export function tellRun(writer: SpanWriter, attributes: Attributes, run: TracedRun): void {
  const { startedAt, endedAt, outcome } = run;
  const members = run.members.flatMap(({ trace, queuedAt }) =>
    trace instanceof InputSpans ? [{ trace, queuedAt }] : [],
  );
  const span = writer.start({
    name: 'batch',
    startedAt,
    parent: undefined,
    attributes: {
      ...attributes,
      'verdict.batch.inputs': run.items,
      'verdict.batch.tokens': run.tokens,
      'verdict.batch.padded_tokens': run.paddedTokens,
      'verdict.batch.closed': run.reason,
    },
    links: members.map(({ trace }) => ({ context: trace.context })),
  });
  if (outcome !== 'ok') span.setAttribute(ATTR_ERROR_TYPE, outcome).setStatus({ code: SpanStatusCode.ERROR });
  writer.end(span, endedAt);
  for (const { trace, queuedAt } of members) trace.ran(span.spanContext(), queuedAt, startedAt, endedAt);
}
