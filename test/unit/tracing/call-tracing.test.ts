import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { CallTrace } from '../../../src/rpc/types.js';
import { CallTracing } from '../../../src/tracing/call-tracing.js';
import { Sampling } from '../../../src/tracing/sampling.js';
import { callHead, handledCall, recordedSpans } from './recorded-spans.js';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const parentId = '00f067aa0ba902b7';
const asks = { traceparent: `00-${traceId}-${parentId}-01` };

function tracing(ratio: number) {
  const { writer, spans } = recordedSpans();
  return { spans, calls: new CallTracing(writer, new Sampling({ ratio, askedPerMinute: 600 })) };
}

describe('a traced call', () => {
  it("has a span below its caller's, and is told which", () => {
    const { calls, spans } = tracing(0);
    const followed: CallTrace[] = [];
    const observer = calls.intercept(callHead(asks, followed));
    assert.deepEqual(spans(), []);
    observer?.onEnd(handledCall());
    const [span, ...others] = spans();
    assert.ok(span !== undefined && others.length === 0);
    assert.equal(span.name, 'verdict.v1.ClassifierService/Classify');
    assert.equal(span.kind, SpanKind.SERVER);
    assert.deepEqual([span.spanContext().traceId, span.parentSpanContext?.spanId], [traceId, parentId]);
    assert.deepEqual(
      followed.map(({ traceId: id, spanId }) => [id, spanId]),
      [[traceId, span.spanContext().spanId]],
    );
  });

  for (const [code, isFailure] of [
    ['OK', false],
    ['CANCELLED', false],
    ['INVALID_ARGUMENT', false],
    ['RESOURCE_EXHAUSTED', false],
    ['UNAUTHENTICATED', false],
    ['DEADLINE_EXCEEDED', true],
    ['UNIMPLEMENTED', true],
    ['INTERNAL', true],
    ['UNAVAILABLE', true],
  ] as const) {
    it(`that ends with ${code} is ${isFailure ? 'a' : 'no'} failure of the server`, () => {
      const { calls, spans } = tracing(1);
      calls.intercept(callHead({}))?.onEnd(handledCall(code));
      const { status, attributes } = spans()[0] ?? assert.fail('no span');
      assert.equal(status.code, isFailure ? SpanStatusCode.ERROR : SpanStatusCode.UNSET);
      assert.equal(attributes['rpc.status_code'], code);
      assert.equal(attributes['error.type'], isFailure ? code : undefined);
    });
  }

  it('of a method that there is not has no name that its caller wrote', () => {
    const { calls, spans } = tracing(1);
    const unknown = { service: 'unknown', method: 'unknown' };
    calls.intercept(callHead({}, [], unknown))?.onEnd(handledCall('UNIMPLEMENTED'));
    assert.equal(spans()[0]?.name, 'grpc');
    assert.equal(spans()[0]?.attributes['rpc.method'], '_OTHER');
  });

  it('records its first 32 inputs, and then those whose number is a power of two', () => {
    const { calls } = tracing(1);
    const followed: CallTrace[] = [];
    calls.intercept(callHead({}, followed));
    const recorded: number[] = [];
    for (let number = 1; number <= 5000; number++)
      if (followed[0]?.input() !== undefined) recorded.push(number);
    const first = Array.from({ length: 32 }, (_, index) => index + 1);
    assert.deepEqual(recorded, [...first, 64, 128, 256, 512, 1024, 2048, 4096]);
  });
});

describe('a call that is not traced', () => {
  it('follows nothing, unless its caller is part of a trace', () => {
    const { calls, spans } = tracing(0);
    const followed: CallTrace[] = [];
    assert.equal(calls.intercept(callHead({}, followed)), undefined);
    assert.equal(followed.length, 0);
    const declines = { traceparent: `00-${traceId}-${parentId}-00` };
    assert.equal(calls.intercept(callHead(declines, followed)), undefined);
    const [trace] = followed;
    assert.ok(trace !== undefined);
    assert.deepEqual([trace.traceId, trace.spanId], [traceId, undefined]);
    trace.stage('receive', 0, 1);
    assert.equal(trace.input(), undefined);
    assert.deepEqual(spans(), []);
  });

  it("no longer holds the caller's header", () => {
    const { calls } = tracing(0);
    const call = callHead({ traceparent: 'x'.repeat(16_000) });
    calls.intercept(call);
    assert.equal(call.metadata('traceparent'), undefined);
  });

  it('is each check of the health, even if its caller asks', () => {
    const { calls } = tracing(1);
    const health = { service: 'grpc.health.v1.Health', method: 'Check' };
    assert.equal(calls.intercept(callHead(asks, [], health)), undefined);
  });
});
