import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readElements, writeElements } from '../../../../src/rpc/open-inference/bytes-elements.js';

test('what is written is read again', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' })), (texts) => {
      const elements = readElements(writeElements(texts), texts.length);
      assert.ok(typeof elements !== 'string');
      assert.deepEqual(
        elements.map((element) => element.toString()),
        texts,
      );
    }),
  );
});

test('every prefix of a tensor is refused, and so is every byte beyond it', () => {
  const raw = writeElements(['one', '', 'three']);
  for (let length = 0; length < raw.length; length++)
    assert.match(String(readElements(raw.subarray(0, length), 3)), /^ends (before|within) element [0-2]: /);
  assert.equal(
    readElements(Buffer.concat([raw, Buffer.of(0)]), 3),
    'has 1 bytes more than the 3 elements of its shape',
  );
});

test('a length that lies is not believed', () => {
  const raw = Buffer.from('ffffffff61', 'hex');
  assert.equal(readElements(raw, 1), 'ends within element 0: 4294967295 bytes were announced, 1 are left');
});
