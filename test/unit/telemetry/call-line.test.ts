import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { callLine, levelOf } from '../../../src/telemetry/call-line.js';

const time = ',"time":"2026-11-22T17:00:59.000Z"';

const call = {
  service: 'verdict.v1.ClassifierService',
  method: 'Classify',
  code: 'OK',
  requestId: '1',
  peer: '127.0.0.1:1',
  durationMs: 1,
  received: 1,
  sent: 1,
  cause: undefined,
};

describe('the line of a call', () => {
  it('is JSON with the fields of the call, whatever is in them, and ends its line', () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.constantFrom('"', '\\', '\n', '\ud800'),
    );
    const count = fc.nat();
    const anyCall = fc.record({
      service: text,
      method: text,
      code: text,
      requestId: text,
      peer: text,
      durationMs: fc.double({ min: 0, max: 1e9, noNaN: true }),
      received: count,
      sent: count,
    });
    fc.assert(
      fc.property(anyCall, (ended) => {
        const line = callLine('info', time, { ...ended, cause: new Error('not for this line') });
        assert.equal(line.indexOf('\n'), line.length - 1);
        const { service, method, code, peer, received, sent } = ended;
        const durationMs = Math.round(ended.durationMs * 1000) / 1000;
        assert.deepEqual(Object.entries(JSON.parse(line)), [
          ['level', 'info'],
          ['time', '2026-11-22T17:00:59.000Z'],
          ['request_id', ended.requestId],
          ...Object.entries({ service, method, code, duration_ms: durationMs, peer, received, sent }),
          ['msg', 'call'],
        ]);
      }),
    );
  });

  it('names the trace that the call belongs to, and its span if that is recorded', () => {
    const ids = (trace: { traceId: string; spanId: string | undefined } | undefined) => {
      const { trace_id: traceId, span_id: spanId } = JSON.parse(callLine('info', time, { ...call, trace }));
      return [traceId, spanId];
    };
    assert.deepEqual(ids({ traceId: 'a1', spanId: 'b2' }), ['a1', 'b2']);
    assert.deepEqual(ids({ traceId: 'a1', spanId: undefined }), ['a1', undefined]);
    assert.deepEqual(ids(undefined), [undefined, undefined]);
  });

  it('is for debugging where a health check was answered, and for everybody else otherwise', () => {
    const health = 'grpc.health.v1.Health';
    assert.equal(levelOf({ service: health, code: 'OK' }), 'debug');
    assert.equal(levelOf({ service: health, code: 'NOT_FOUND' }), 'info');
    assert.equal(levelOf({ service: 'verdict.v1.ClassifierService', code: 'OK' }), 'info');
    assert.equal(JSON.parse(callLine('debug', time, { ...call, service: health })).level, 'debug');
  });
});
