import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeEntry, encodedBytes, encodeEntry } from '../../../src/cache/entry-codec.js';
import { entryOf } from '../../support/cache-entries.js';

const anyEntry = fc.record({
  logits: fc.float32Array({ minLength: 1, maxLength: 200 }),
  tokenCount: fc.nat({ max: 2 ** 32 - 1 }),
  truncated: fc.boolean(),
});

test('every entry comes back as it was', () => {
  fc.assert(
    fc.property(anyEntry, (entry) => {
      const bytes = encodeEntry(entry);
      assert.equal(bytes.byteLength, encodedBytes(entry));
      assert.deepEqual(decodeEntry(bytes), { ...entry, logits: Float32Array.from(entry.logits) });
    }),
  );
});

test('an entry decodes from the middle of a larger buffer, and keeps nothing of it', () => {
  const bytes = encodeEntry(entryOf(1.5, -2));
  const larger = Buffer.concat([Buffer.alloc(3, 0xff), bytes, Buffer.alloc(5, 0xff)]);
  const decoded = decodeEntry(larger.subarray(3, 3 + bytes.byteLength));
  assert.deepEqual(decoded, entryOf(1.5, -2));
  assert.equal(decoded?.logits.buffer.byteLength, 8);
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
      const decoded = decodeEntry(bytes);
      if (decoded !== undefined) assert.equal(encodedBytes(decoded), bytes.byteLength);
    }),
  );
});

test('a damaged entry is a miss', () => {
  fc.assert(
    fc.property(anyEntry, fc.nat(), (entry, cut) => {
      const bytes = encodeEntry(entry);
      assert.equal(decodeEntry(bytes.subarray(0, cut % bytes.byteLength)), undefined);
      assert.equal(decodeEntry(Buffer.concat([bytes, Buffer.alloc(1 + (cut % 9))])), undefined);
    }),
  );
});

test('another version, an unknown flag, a wrong label count and no labels at all are misses', () => {
  const changed = (offset: number, value: number): Buffer => {
    const bytes = encodeEntry(entryOf(1, 2));
    bytes[offset] = value;
    return bytes;
  };
  assert.equal(decodeEntry(changed(0, 2)), undefined);
  assert.equal(decodeEntry(changed(1, 2)), undefined);
  assert.equal(decodeEntry(changed(6, 1)), undefined);
  assert.equal(decodeEntry(changed(9, 0xff)), undefined);
  assert.equal(decodeEntry(encodeEntry(entryOf())), undefined);
});
