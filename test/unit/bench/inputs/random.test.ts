import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { normal, seededRandom, shuffled } from '../../../../bench/inputs/random.js';

describe('seeded randomness', () => {
  it('is even over [0, 1)', () => {
    const random = seededRandom(1);
    const tenths = new Array<number>(10).fill(0);
    for (let i = 0; i < 100_000; i++) {
      const tenth = Math.floor(random() * 10);
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    for (const count of tenths) assert.ok(Math.abs(count - 10_000) < 500, String(count));
  });

  it('differs between seeds', () => {
    assert.notEqual(seededRandom(1)(), seededRandom(2)());
  });

  it('makes standard normal numbers', () => {
    const random = seededRandom(1);
    const values = Array.from({ length: 50_000 }, () => normal(random));
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    assert.ok(Math.abs(mean) < 0.02, String(mean));
    assert.ok(Math.abs(variance - 1) < 0.03, String(variance));
  });

  it('shuffles a copy', () => {
    const items = Array.from({ length: 100 }, (_, i) => i);
    const copy = shuffled(items, seededRandom(1));
    assert.notDeepEqual(copy, items);
    assert.deepEqual(
      copy.toSorted((a, b) => a - b),
      items,
    );
  });
});
