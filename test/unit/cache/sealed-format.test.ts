import assert from 'node:assert/strict';
import { createHmac, hkdfSync } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeEntry, encodedBytes, encodeEntry } from '../../../src/cache/entry-codec.js';
import { plainFormat } from '../../../src/cache/entry-format.js';
import { SealedFormat } from '../../../src/cache/sealed-format.js';
import { entryOf, shapeOf } from '../../support/cache-entries.js';

const secret = 'a secret of thirty-two characters'.replaceAll(' ', '_');
const format = new SealedFormat(secret);
const other = new SealedFormat(`${secret}!`);
const key = 'AbCdEfGhIjKlMnOpQrStUv';
const entry = entryOf(1, -2);
const shape = shapeOf(2);

const anyKey = fc.string({ minLength: 1, maxLength: 30 });

test('an entry comes back under its key, in the size that was told', () => {
  fc.assert(
    fc.property(anyKey, (any) => {
      const value = format.encode(any, entry);
      assert.equal(value.byteLength, format.valueBytes(2));
      assert.deepEqual(format.decode(any, value, shape), entry);
    }),
  );
});

test('a name has 132 bits, says nothing of the key, and is no name without a secret or of another one', () => {
  fc.assert(
    fc.property(anyKey, (any) => {
      const name = format.name(any);
      assert.match(name, /^s1\.[\w-]{22}$/);
      assert.equal(name, new SealedFormat(secret).name(any));
      assert.notEqual(name, other.name(any));
      assert.notEqual(name, plainFormat.name(any));
    }),
  );
  assert.doesNotMatch(key, /\./, 'a plain name has no dot');
});

test('names are made as they were: another release finds the entries', () => {
  const subkey = Buffer.from(hkdfSync('sha256', secret, '', 'verdict cache: names of entries, 1', 32));
  const expected = createHmac('sha256', subkey).update(key).digest('base64url').slice(0, 22);
  assert.equal(format.name(key), `s1.${expected}`);
});

test('a value whose bytes were changed is not believed, whichever byte it is', () => {
  const value = format.encode(key, entry);
  for (let index = 0; index < value.byteLength; index += 1) {
    for (let bit = 0; bit < 8; bit += 1) {
      const changed = Buffer.from(value);
      changed.writeUInt8(changed.readUInt8(index) ^ (1 << bit), index);
      assert.equal(format.decode(key, changed, shape), 'mac');
    }
  }
  assert.equal(format.decode(key, value.subarray(1), shape), 'length');
  assert.equal(format.decode(key, Buffer.concat([value, Buffer.alloc(1)]), shape), 'length');
});

test('an entry that was copied to another key is not believed', () => {
  const value = format.encode(key, entry);
  assert.equal(format.decode(`${key.slice(0, -1)}w`, value, shape), 'mac');
  // Nor where the end of one key and the beginning of the value could be taken for another's.
  assert.equal(format.decode(key.slice(0, -1), value, shape), 'mac');
  assert.equal(format.decode(`${key}1`, value, shape), 'mac');
});

test('neither another secret, nor none, nor a MAC made of the name makes an entry', () => {
  const bytes = encodeEntry(entry);
  assert.equal(format.decode(key, other.encode(key, entry), shape), 'mac');
  assert.equal(format.decode(key, bytes, shape), 'length');
  assert.equal(format.decode(key, Buffer.concat([bytes, Buffer.alloc(16)]), shape), 'mac');
  const named = Buffer.from(format.name(key).slice(3, 3 + 22), 'base64url');
  assert.equal(format.decode(key, Buffer.concat([bytes, named]), shape), 'mac');
  assert.equal(plainFormat.decode(key, format.encode(key, entry), shape), 'length');
});

test('what is sealed and cannot be an answer of the model is not believed either', () => {
  assert.equal(format.decode(key, format.encode(key, entryOf(1, Number.NaN)), shape), 'logits');
  assert.equal(format.decode(key, format.encode(key, { ...entry, tokenCount: 0 }), shape), 'tokens');
});

test('a sealed value that is as long as a plain one of more labels is none of them', () => {
  const value = format.encode(key, entry);
  assert.equal(value.byteLength, encodedBytes(6));
  assert.equal(decodeEntry(value, shapeOf(6)), 'labels');
});
