import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chooseUnloaded, type Resident } from '../../../src/models/choose-unloaded.js';

const resident = (name: string, lastUse: number, more: Partial<Resident> = {}): Resident => ({
  ...{ name, lastUse, isBusy: false, loadedAt: 0, loadMs: 2_000 },
  ...more,
});

describe('the model that makes room', () => {
  it('is the least recently used of those that hold nothing', () => {
    const residents = [resident('a', 3), resident('b', 1, { isBusy: true }), resident('c', 2)];
    assert.deepEqual(chooseUnloaded(residents, 10_000), { model: 'c' });
  });

  it('has stayed as long as its load took, and a second at least', () => {
    assert.deepEqual(chooseUnloaded([resident('a', 1)], 1_500), { inMs: 500 });
    assert.deepEqual(chooseUnloaded([resident('a', 1)], 2_000), { model: 'a' });
    assert.deepEqual(chooseUnloaded([resident('a', 1, { loadMs: 10 })], 900), { inMs: 100 });
    assert.deepEqual(chooseUnloaded([resident('a', 1, { loadMs: 1e6 })], 59_000), { inMs: 1_000 });
  });

  it('is a busy one if all are, once it has stayed four times as long', () => {
    const busy = { isBusy: true };
    const residents = [resident('a', 2, busy), resident('b', 1, { ...busy, loadedAt: 1_000 })];
    assert.deepEqual(chooseUnloaded(residents, 5_000), { inMs: 3_000 });
    assert.deepEqual(chooseUnloaded(residents, 8_000), { model: 'a' });
    assert.deepEqual(
      chooseUnloaded(residents, 9_000),
      { model: 'b' },
      'the least recently used of those that may go',
    );
  });

  it('is a busy one that has had its time, rather than an idle one that has not', () => {
    const residents = [resident('a', 1, { loadedAt: 9_000 }), resident('b', 2, { isBusy: true })];
    assert.deepEqual(chooseUnloaded(residents, 9_500), { model: 'b' });
  });

  it('is none where none is loaded', () => {
    assert.deepEqual(chooseUnloaded([], 0), { inMs: Number.POSITIVE_INFINITY });
  });
});
