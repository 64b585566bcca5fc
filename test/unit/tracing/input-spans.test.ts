import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { type SpanContext, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import type { TracedRun } from '../../../src/batching/types.js';
import { VerdictError } from '../../../src/errors.js';
import { InputSpans } from '../../../src/tracing/input-spans.js';
import { tellRun } from '../../../src/tracing/run-spans.js';
import { recordedSpans } from './recorded-spans.js';

const call: SpanContext = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: TraceFlags.SAMPLED };
const ended: Parameters<InputSpans['end']>[0] = {
  ...{ model: 'topics', version: '1', alias: '', outcome: 'miss', tokens: 8, totalMs: 4, timings: undefined },
  ...{ postprocessMs: 1, serviceClass: 'bulk', trace: undefined },
};
const run: Omit<TracedRun, 'members'> = {
  ...{ startedAt: 30, endedAt: 40, items: 3, tokens: 20, paddedTokens: 24, reason: 'budget', outcome: 'ok' },
};

describe('the spans of an input', () => {
  let recorded: ReturnType<typeof recordedSpans>;
  const input = () => new InputSpans(recorded.writer, call, 1);
  /** Name, start and end of the finished spans, in milliseconds since the first one began. */
  const times = () => {
    const ms = ([seconds, nanos]: readonly [number, number]) => seconds * 1000 + nanos / 1e6;
    const spans = recorded.spans();
    const from = Math.min(...spans.map(({ startTime }) => ms(startTime)));
    return spans.map(({ name, startTime, endTime }) => [
      name,
      Math.round(ms(startTime) - from),
      Math.round(ms(endTime) - from),
    ]);
  };

  beforeEach(() => {
    recorded = recordedSpans();
  });

  it('lie below its call, and end with it', () => {
    const one = input();
    one.stage('memory', 2, 3);
    one.end(ended);
    const [memory, score, classify] = recorded.spans();
    assert.deepEqual([memory?.name, score?.name, classify?.name], ['memory', 'score', 'classify']);
    assert.equal(memory?.parentSpanContext?.spanId, one.spanId);
    assert.equal(classify?.parentSpanContext?.spanId, call.spanId);
    assert.deepEqual(classify?.attributes, {
      'verdict.class': 'bulk',
      'verdict.model': 'topics',
      'verdict.version': '1',
      'verdict.cache': 'miss',
    });
  });

  it('say with which reason it failed, and no message', () => {
    const error = new VerdictError('resource_exhausted', 'a text', { reason: 'QUEUE_FULL' });
    input().end({ ...ended, model: '', version: '', outcome: 'error', error });
    const [classify, ...others] = recorded.spans();
    assert.deepEqual(others, []);
    assert.deepEqual(classify?.status, { code: SpanStatusCode.ERROR });
    assert.deepEqual(classify?.attributes, { 'verdict.class': 'bulk', 'error.type': 'QUEUE_FULL' });
    assert.deepEqual(classify?.events, []);
  });

  it('link to the input that it waited for', () => {
    const [one, other] = [input(), input()];
    one.stage('join', 1, 2, other);
    assert.deepEqual(
      recorded.spans()[0]?.links.map(({ context }) => context.spanId),
      [other.spanId],
    );
  });

  it('show each run of it, and after a lost one only the wait since then', () => {
    const one = input();
    const members = [{ trace: one, queuedAt: 10 }];
    tellRun(recorded.writer, {}, { ...run, members, outcome: 'lost' });
    tellRun(recorded.writer, {}, { ...run, members, startedAt: 50, endedAt: 60 });
    assert.deepEqual(times(), [
      ['batch', 20, 30],
      ['queue', 0, 20],
      ['run', 20, 30],
      ['batch', 40, 50],
      ['queue', 30, 40],
      ['run', 40, 50],
    ]);
    const [lost, , , good] = recorded.spans();
    assert.deepEqual([lost?.status.code, lost?.attributes['error.type']], [SpanStatusCode.ERROR, 'lost']);
    assert.deepEqual([good?.status.code, good?.attributes['error.type']], [SpanStatusCode.UNSET, undefined]);
  });
});

describe('the span of a run', () => {
  it('is the root of a trace, and links to its members as they do to it', () => {
    const { writer, spans } = recordedSpans();
    const inputs = [1, 2].map(() => new InputSpans(writer, call, 1));
    const members = inputs.map((trace) => ({ trace, queuedAt: 20 }));
    tellRun(writer, { 'verdict.model': 'topics' }, { ...run, members });
    const [batch, ...others] = spans();
    assert.equal(batch?.parentSpanContext, undefined);
    assert.notEqual(batch?.spanContext().traceId, call.traceId);
    assert.deepEqual(
      batch?.links.map(({ context }) => context.spanId),
      inputs.map(({ spanId }) => spanId),
    );
    const runs = others.filter(({ name }) => name === 'run');
    assert.deepEqual(
      runs.map(({ links }) => links.map(({ context }) => context.spanId)),
      [[batch?.spanContext().spanId], [batch?.spanContext().spanId]],
    );
    assert.deepEqual(batch?.attributes, {
      'verdict.model': 'topics',
      'verdict.batch.inputs': 3,
      'verdict.batch.tokens': 20,
      'verdict.batch.padded_tokens': 24,
      'verdict.batch.closed': 'budget',
    });
  });
});
