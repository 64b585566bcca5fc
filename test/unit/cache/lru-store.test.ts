import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LruStore } from '../../../src/cache/lru-store.js';
import { entryOf } from '../../support/cache-entries.js';

test('it never holds more bytes than its bound, whatever comes', () => {
  const write = fc.record({ key: fc.nat({ max: 30 }).map(String), labels: fc.integer({ min: 1, max: 400 }) });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8000 }), fc.array(write), (maxBytes, writes) => {
      let size = { entries: 0, bytes: 0 };
      const store = new LruStore({ maxBytes }, { onSize: (now) => (size = { ...now }) });
      for (const { key, labels } of writes) {
        store.set(key, { logits: new Float32Array(labels), tokenCount: 1, truncated: false });
        assert.ok(size.bytes <= maxBytes);
        assert.ok(size.bytes >= size.entries * 480);
      }
    }),
  );
});

test('the entry used longest ago makes room', () => {
  const writes: string[] = [];
  const store = new LruStore({ maxBytes: 1100 }, { onWrite: (_tier, outcome) => writes.push(outcome) });
  store.set('a', entryOf(1));
  store.set('b', entryOf(2));
  store.get('a');
  store.set('c', entryOf(3));
  assert.deepEqual(store.get('a'), entryOf(1));
  assert.equal(store.get('b'), undefined);
  assert.deepEqual(store.get('c'), entryOf(3));
  assert.deepEqual(writes, ['ok', 'ok', 'ok']);
});

test('an entry larger than the whole bound is dropped, and that is said', () => {
  const writes: string[] = [];
  const store = new LruStore({ maxBytes: 1000 }, { onWrite: (_tier, outcome) => writes.push(outcome) });
  store.set('a', { ...entryOf(), logits: new Float32Array(1000) });
  assert.equal(store.get('a'), undefined);
  assert.deepEqual(writes, ['dropped']);
});

test('a row out of a batch is kept without the rest of the batch', () => {
  const store = new LruStore({ maxBytes: 10_000 });
  const batch = Float32Array.from([1, 2, 3, 4, 5, 6]);
  store.set('row', { ...entryOf(), logits: batch.subarray(2, 4) });
  const kept = store.get('row');
  assert.deepEqual(kept?.logits, Float32Array.from([3, 4]));
  assert.equal(kept?.logits.buffer.byteLength, 8);
});

test('an entry past its time to live is a miss', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  let now = 1000;
  t.mock.method(performance, 'now', () => now);
  const store = new LruStore({ maxBytes: 10_000, ttlMs: 50 });
  store.set('a', entryOf(1));
  now += 49;
  t.mock.timers.tick(49);
  assert.deepEqual(store.get('a'), entryOf(1));
  now += 2;
  t.mock.timers.tick(2);
  assert.equal(store.get('a'), undefined);
});

test('hits and misses are told', () => {
  const lookups: string[] = [];
  const store = new LruStore(
    { maxBytes: 10_000 },
    { onLookup: (tier, outcome) => lookups.push(`${tier} ${outcome}`) },
  );
  store.get('a');
  store.set('a', entryOf(1));
  store.get('a');
  assert.deepEqual(lookups, ['lru miss', 'lru hit']);
});

test('what is forgotten is gone, and the size is told', () => {
  const sizes: number[] = [];
  const store = new LruStore({ maxBytes: 10_000 }, { onSize: ({ entries }) => sizes.push(entries) });
  for (const key of ['a', 'b', 'c']) store.set(key, entryOf(1));
  assert.equal(store.forget(['a', 'c', 'd']), 2);
  assert.deepEqual([store.get('a'), store.get('b'), store.get('c')], [undefined, entryOf(1), undefined]);
  assert.deepEqual(sizes, [1, 2, 3, 1]);
});
