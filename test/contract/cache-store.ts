import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CacheEntry, CacheHooks, CacheStore } from '../../src/cache/types.js';
import { entryOf, shapeOf } from '../support/cache-entries.js';

/** A fresh, empty store, and a way to wait until what was set can be read. */
export interface StoreUnderTest {
  readonly store: CacheStore;
  readonly settled: () => Promise<void>;
}

/** What every tier promises, whatever it is made of. */
export function cacheStoreContract(
  name: string,
  makeStore: (hooks: CacheHooks) => Promise<StoreUnderTest>,
  skip: string | false = false,
): void {
  test(`${name}: a key that was never set is a miss`, { skip }, async () => {
    const { store } = await makeStore({});
    assert.equal(await store.get('never', shapeOf(1)), undefined);
  });

  test(`${name}: an entry comes back whole`, { skip }, async () => {
    const { store, settled } = await makeStore({});
    const entries: Record<string, CacheEntry> = {
      one: entryOf(0.5),
      wide: { logits: new Float32Array(1000).map(Math.sin), tokenCount: 512, truncated: true },
      odd: {
        logits: Float32Array.from([3.4e38, 1e-45, -0]),
        tokenCount: 512,
        truncated: false,
      },
    };
    for (const [key, entry] of Object.entries(entries)) await store.set(key, entry);
    await settled();
    for (const [key, entry] of Object.entries(entries)) {
      assert.deepEqual(await store.get(key, shapeOf(entry.logits.length)), entry);
    }
  });

  test(`${name}: the last write of a key is what it holds`, { skip }, async () => {
    const { store, settled } = await makeStore({});
    await store.set('k', entryOf(1));
    await settled();
    await store.set('k', entryOf(2, 3));
    await settled();
    assert.deepEqual(await store.get('k', shapeOf(2)), entryOf(2, 3));
  });

  test(`${name}: a row out of a batch is stored without its neighbours`, { skip }, async () => {
    const { store, settled } = await makeStore({});
    await store.set('k', { ...entryOf(), logits: Float32Array.from([1, 2, 3, 4]).subarray(1, 3) });
    await settled();
    const found = await store.get('k', shapeOf(2));
    assert.deepEqual(found?.logits, Float32Array.from([2, 3]));
    assert.equal(found?.logits.buffer.byteLength, 8);
  });

  test(`${name}: lookups and writes are told with their outcome`, { skip }, async () => {
    const events: string[] = [];
    const { store, settled } = await makeStore({
      onLookup: (_tier, outcome) => events.push(`lookup ${outcome}`),
      onWrite: (_tier, outcome) => events.push(`write ${outcome}`),
    });
    await store.get('k', shapeOf(1));
    await store.set('k', entryOf(1));
    await settled();
    await store.get('k', shapeOf(1));
    assert.deepEqual(events, ['lookup miss', 'write ok', 'lookup hit']);
  });
}
