import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { CacheKeyer } from '../../../src/cache/key.js';
import { textKey } from '../../../src/preprocessing/text-preprocessor.js';
import type { TextInput, Truncation } from '../../../src/tokenizer/types.js';

const keyer = new CacheKeyer(`sha256:${'a'.repeat(64)}`);
const keyOf = (of: CacheKeyer, input: TextInput, truncation: Truncation) =>
  of.key(textKey(input), truncation);

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
      const key = keyOf(keyer, input, 'end');
      assert.match(key, /^[\w-]{22}$/);
      assert.equal(key, keyOf(new CacheKeyer(`sha256:${'a'.repeat(64)}`), { ...input }, 'end'));
    }),
  );
});

test('two inputs share a key only if they are the same', () => {
  fc.assert(
    fc.property(anyInput, anyInput, (one, other) => {
      const same = one.text === other.text && one.textPair === other.textPair;
      assert.equal(keyOf(keyer, one, 'end') === keyOf(keyer, other, 'end'), same);
    }),
    { numRuns: 2000 },
  );
});

test('where a pair is split matters', () => {
  assert.notEqual(
    keyOf(keyer, { text: 'ab', textPair: 'c' }, 'end'),
    keyOf(keyer, { text: 'a', textPair: 'bc' }, 'end'),
  );
});

test('a text alone and a pair with an empty second text differ', () => {
  assert.notEqual(keyOf(keyer, { text: 'a' }, 'end'), keyOf(keyer, { text: 'a', textPair: '' }, 'end'));
});

test('lone surrogates are told apart from each other and from the replacement character', () => {
  const keys = ['\ud800', '\ud801', '\udc00', '\ufffd'].map((text) => keyOf(keyer, { text }, 'end'));
  assert.equal(new Set(keys).size, keys.length);
});

test('surrogates that become a pair only across the two texts stay apart from the pair in one text', () => {
  assert.notEqual(
    keyOf(keyer, { text: '\ud83d', textPair: '\ude00' }, 'end'),
    keyOf(keyer, { text: '\ud83d\ude00', textPair: '' }, 'end'),
  );
});

test('truncation and model split keys', () => {
  const input = { text: 'some text' };
  const keys = [
    keyOf(keyer, input, 'end'),
    keyOf(keyer, input, 'start'),
    keyOf(keyer, input, 'reject'),
    keyOf(new CacheKeyer(`sha256:${'b'.repeat(64)}`), input, 'end'),
  ];
  assert.equal(new Set(keys).size, keys.length);
});

test('a model digest cannot run over into what follows it', () => {
  assert.notEqual(
    keyOf(new CacheKeyer('a|end'), { text: 'x' }, 'end'),
    keyOf(new CacheKeyer('a'), { text: 'end|1:x' }, 'end'),
  );
});

/** Names like those of identities, and some that try to pass for other parts of a key. */
const anyName = fc.oneof(
  fc.constantFrom('key:a', 'key:b', 'jwt:a', 'jwt:key:a', 'v1.own|5:key:a', '|end|1:a'),
  fc.stringMatching(/^(key|jwt):[a-z0-9|:]{1,8}$/),
);

test('callers with caches of their own share no key with each other, nor with those who share', () => {
  fc.assert(
    fc.property(anyName, anyName, anyInput, anyInput, (name, otherName, one, other) => {
      const key = keyer.key(textKey(one), 'end', name);
      assert.match(key, /^[\w-]{22}$/);
      const isSameInput = one.text === other.text && one.textPair === other.textPair;
      const isSame = isSameInput && name === otherName;
      assert.equal(key === keyer.key(textKey(other), 'end', otherName), isSame);
      assert.notEqual(key, keyOf(keyer, other, 'end'));
    }),
    { numRuns: 2000 },
  );
});

test('the keys of those who share are what they were before there were others', () => {
  const message = `v1|71:sha256:${'a'.repeat(64)}|end|4:text`;
  const digest = createHash('sha256').update(message).digest('base64url');
  assert.equal(keyOf(keyer, { text: 'text' }, 'end'), digest.slice(0, 22));
  assert.equal(keyer.key(textKey({ text: 'text' }), 'end', ''), digest.slice(0, 22));
});
