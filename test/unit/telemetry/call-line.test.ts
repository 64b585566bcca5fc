import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { callLine } from '../../../src/telemetry/call-line.js';

const time = ',"time":"2026-11-22T17:00:59.000Z"';

describe('the line of a call', () => {
  it('is JSON with the fields of the call, whatever is in them, and ends its line', () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.constantFrom('"', '\\', '\n', '\ud800'),
    );
    const count = fc.nat();
    const call = fc.record({
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
      fc.property(call, (ended) => {
        const line = callLine(time, { ...ended, cause: new Error('not for this line') });
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
});
