import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CacheKeyer } from '../../../src/cache/key.js';
import type { TextInput } from '../../../src/tokenizer/types.js';

const keyer = new CacheKeyer(`sha256:${'a'.repeat(64)}`);

/** Strings of any UTF-16 units, lone surrogates too, out of an alphabet small enough for near misses. */
const anyText = fc
  .array(fc.constantFrom('a', 'b', '|', ':', '1', 'é', '中', '\ud800', '\udc00', '\ufffd', '\0'), {
    maxLength: 6,
  })
  .map((units) => units.join(''));
const anyInput: fc.Arbitrary<TextInput> = fc.oneof(
  anyText.map((text) => ({ text })),
  fc.tuple(anyText, anyText).map(([text, textPair]) => ({ text, textPair })),
);

test('a key is 22 characters of base64url, and the same for the same input', () => {
  fc.assert(
    fc.property(anyInput, (input) => {
      const key = keyer.key(input, 'end');
      assert.match(key, /^[\w-]{22}$/);
      assert.equal(key, new CacheKeyer(`sha256:${'a'.repeat(64)}`).key({ ...input }, 'end'));
    }),
  );
});

test('two inputs share a key only if they are the same', () => {
  fc.assert(
    fc.property(anyInput, anyInput, (one, other) => {
      const same = one.text === other.text && one.textPair === other.textPair;
      assert.equal(keyer.key(one, 'end') === keyer.key(other, 'end'), same);
    }),
    { numRuns: 2000 },
  );
});

test('where a pair is split matters', () => {
  assert.notEqual(
    keyer.key({ text: 'ab', textPair: 'c' }, 'end'),
    keyer.key({ text: 'a', textPair: 'bc' }, 'end'),
  );
});

test('a text alone and a pair with an empty second text differ', () => {
  assert.notEqual(keyer.key({ text: 'a' }, 'end'), keyer.key({ text: 'a', textPair: '' }, 'end'));
});

test('lone surrogates are told apart from each other and from the replacement character', () => {
  const keys = ['\ud800', '\ud801', '\udc00', '\ufffd'].map((text) => keyer.key({ text }, 'end'));
  assert.equal(new Set(keys).size, keys.length);
});

test('surrogates that become a pair only across the two texts stay apart from the pair in one text', () => {
  assert.notEqual(
    keyer.key({ text: '\ud83d', textPair: '\ude00' }, 'end'),
    keyer.key({ text: '\ud83d\ude00', textPair: '' }, 'end'),
  );
});

test('truncation and model split keys', () => {
  const input = { text: 'some text' };
  const keys = [
    keyer.key(input, 'end'),
    keyer.key(input, 'start'),
    keyer.key(input, 'reject'),
    new CacheKeyer(`sha256:${'b'.repeat(64)}`).key(input, 'end'),
  ];
  assert.equal(new Set(keys).size, keys.length);
});

test('a model digest cannot run over into what follows it', () => {
  assert.notEqual(
    new CacheKeyer('a|end').key({ text: 'x' }, 'end'),
    new CacheKeyer('a').key({ text: 'end|1:x' }, 'end'),
  );
});
