import assert from 'node:assert/strict';
import { createSecretKey } from 'node:crypto';
import { describe, it } from 'node:test';
import { hashOfKey, idOfKey, newKey, random256 } from '../../../src/auth/key-format.js';

describe('a key', () => {
  it('has its id in front of 256 random bits', () => {
    const key = newKey('search-2');
    assert.match(key, /^vk_search-2_[A-Za-z0-9_-]{43}$/);
    assert.equal(idOfKey(key), 'search-2');
    assert.notEqual(newKey('search-2'), key);
    assert.equal(Buffer.from(key.slice(-43), 'base64url').length, 32);
  });

  it('reads in one way only, whatever its random part looks like', () => {
    const random = `_a_${'-'.repeat(39)}A`;
    assert.equal(random.length, 43);
    assert.equal(idOfKey(`vk_a_${random}`), 'a');
    assert.equal(idOfKey(`vk_${'i'.repeat(32)}_${random}`), 'i'.repeat(32));
  });

  const random = random256();
  const malformed = {
    'is empty': '',
    'has another prefix': `sk_a_${random}`,
    'has no id': `vk__${random}`,
    'has an id that is too long': `vk_${'i'.repeat(33)}_${random}`,
    'has an id with a capital': `vk_A_${random}`,
    'has an id with an underscore': `vk_a_b_${random}`,
    'is too short': `vk_a_${random.slice(1)}`,
    'is followed by a space': `vk_a_${random} `,
    'is followed by a line break': `vk_a_${random}\n`,
    'spells the same bits in another way': `vk_a_${'A'.repeat(42)}B`,
    'is in plain base64': `vk_a_+${random.slice(1)}`,
    'is huge': `vk_a_${'A'.repeat(100_000)}`,
    'is two keys': `vk_a_${random}, vk_a_${random}`,
    'is beyond ASCII': `vk_ä_${random}`,
  };
  for (const [what, text] of Object.entries(malformed)) {
    it(`is none that ${what}`, () => assert.equal(idOfKey(text), undefined));
  }
});

describe('the hash of a key', () => {
  const secret = createSecretKey(random256(), 'base64url');

  it('is the same each time, and another for another key, id or secret', () => {
    const key = newKey('a');
    const hash = hashOfKey(key, secret);
    assert.equal(hash.length, 32);
    assert.deepEqual(hashOfKey(key, secret), hash);
    assert.notDeepEqual(hashOfKey(newKey('a'), secret), hash);
    assert.notDeepEqual(hashOfKey(key.replace('vk_a', 'vk_b'), secret), hash);
    assert.notDeepEqual(hashOfKey(key, createSecretKey(random256(), 'base64url')), hash);
  });
});
