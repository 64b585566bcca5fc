import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parentOf } from '../../../src/tracing/traceparent.js';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';

describe('a traceparent', () => {
  it('names the span that the call was made in', () => {
    assert.deepEqual(parentOf(`00-${traceId}-${spanId}-01`), {
      traceId,
      spanId,
      traceFlags: 1,
      isRemote: true,
    });
    assert.equal(parentOf(`00-${traceId}-${spanId}-00`)?.traceFlags, 0);
  });

  it('of a later version may say more behind that', () => {
    assert.equal(parentOf(`cc-${traceId}-${spanId}-01-what-comes-next`)?.spanId, spanId);
  });

  for (const header of [
    undefined,
    '',
    'x',
    `00-${traceId}-${spanId}`,
    `00-${traceId}-${spanId}-01-more`,
    `ff-${traceId}-${spanId}-01`,
    `00-${'0'.repeat(32)}-${spanId}-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `00-${traceId.toUpperCase()}-${spanId}-01`,
    `00-${traceId.slice(1)}-${spanId}-01`,
    `00-${traceId}-${spanId}-1`,
    `00-${traceId}-${spanId}-01`.repeat(1000),
    `cc-${traceId}-${spanId}-01-${'x'.repeat(1000)}`,
  ]) {
    it(`that is malformed counts as none: ${String(header).slice(0, 70)}`, () => {
      assert.equal(parentOf(header), undefined);
    });
  }

  it('of any text gives ids of hexadecimal digits alone, or nothing', () => {
    const nearly = fc.stringMatching(/^[0-9a-f]{2}-[0-9a-fA-F]{30,33}-[0-9a-f]{15,17}-[0-9a-f]{2}.?$/);
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), nearly), (header) => {
        const parent = parentOf(header);
        if (parent === undefined) return;
        assert.match(parent.traceId, /^[0-9a-f]{32}$/);
        assert.match(parent.spanId, /^[0-9a-f]{16}$/);
      }),
    );
  });
});
