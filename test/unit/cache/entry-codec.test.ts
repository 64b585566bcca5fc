import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeEntry, encodedBytes, encodeEntry } from '../../../src/cache/entry-codec.js';
import { entryOf, shapeOf } from '../../support/cache-entries.js';

const anyEntry = fc.record({
  logits: fc.float32Array({ minLength: 1, maxLength: 200, noNaN: true, noDefaultInfinity: true }),
  tokenCount: fc.integer({ min: 1, max: 512 }),
  truncated: fc.boolean(),
});

test('every entry comes back as it was', () => {
  fc.assert(
    fc.property(anyEntry, (entry) => {
      const bytes = encodeEntry(entry);
      assert.equal(bytes.byteLength, encodedBytes(entry.logits.length));
      assert.deepEqual(decodeEntry(bytes, shapeOf(entry.logits.length)), {
        ...entry,
        logits: Float32Array.from(entry.logits),
      });
    }),
  );
});

test('an entry decodes from the middle of a larger buffer, and keeps nothing of it', () => {
  const bytes = encodeEntry(entryOf(1.5, -2));
  const larger = Buffer.concat([Buffer.alloc(3, 0xff), bytes, Buffer.alloc(5, 0xff)]);
  const decoded = decodeEntry(larger.subarray(3, 3 + bytes.byteLength), shapeOf(2));
  assert.ok(typeof decoded === 'object');
  assert.deepEqual(decoded, entryOf(1.5, -2));
  assert.equal(decoded.logits.buffer.byteLength, 8);
});

test('the layout is fixed: what is in Redis now is read by the next release', () => {
  assert.equal(
    encodeEntry({ ...entryOf(1, -1), truncated: true }).toString('hex'),
    '0101070000000200000000' + '00803f000080bf',
  );
});

test('arbitrary bytes never throw, and are an entry only if they are one to the byte', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const decoded = decodeEntry(bytes, shapeOf(2));
      if (typeof decoded === 'object') assert.deepEqual(encodeEntry(decoded), Buffer.from(bytes));
    }),
  );
});

test('a damaged entry is a miss', () => {
  fc.assert(
    fc.property(anyEntry, fc.nat(), (entry, cut) => {
      const bytes = encodeEntry(entry);
      const shape = shapeOf(entry.logits.length);
      assert.equal(decodeEntry(bytes.subarray(0, cut % bytes.byteLength), shape), 'length');
      assert.equal(decodeEntry(Buffer.concat([bytes, Buffer.alloc(1 + (cut % 9))]), shape), 'length');
    }),
  );
});

test('an entry of a model with another number of labels, or a lower limit, is not one of this model', () => {
  const bytes = encodeEntry(entryOf(1, 2));
  assert.equal(decodeEntry(bytes, shapeOf(1)), 'length');
  assert.equal(decodeEntry(bytes, shapeOf(3)), 'length');
  assert.equal(decodeEntry(bytes, { labelCount: 2, maxTokens: 6 }), 'tokens');
});

test('each part of the header is checked', () => {
  const changed = (offset: number, value: number): Buffer => {
    const bytes = encodeEntry(entryOf(1, 2));
    bytes[offset] = value;
    return bytes;
  };
  assert.equal(decodeEntry(changed(0, 2), shapeOf(2)), 'version');
  assert.equal(decodeEntry(changed(1, 2), shapeOf(2)), 'flags');
  assert.equal(decodeEntry(changed(6, 1), shapeOf(2)), 'labels');
  assert.equal(decodeEntry(changed(9, 0xff), shapeOf(2)), 'labels');
  assert.equal(decodeEntry(changed(2, 0), shapeOf(2)), 'tokens');
});

test('logits that are no numbers are not decoded', () => {
  for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    assert.equal(decodeEntry(encodeEntry(entryOf(1, wrong)), shapeOf(2)), 'logits');
  }
});
