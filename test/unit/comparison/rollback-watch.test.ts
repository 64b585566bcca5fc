import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RollbackWatch } from '../../../src/comparison/rollback-watch.js';
import { SlidingCounts } from '../../../src/comparison/sliding-counts.js';
import { surelyAbove } from '../../../src/comparison/surely-above.js';
import type { RollbackRule } from '../../../src/models/routing.js';

const rule: RollbackRule = {
  ...{ version: '2', stable: '1', maxErrorPercent: 5, maxFlipPercent: 10 },
  ...{ minObservations: 20, windowSeconds: 60, setAt: 0, rolledBack: undefined },
};

describe('the watch over a candidate', () => {
  it('passes a limit with enough observations, and says by what', () => {
    const watch = new RollbackWatch(rule);
    for (let at = 0; at < 19; at++) assert.equal(watch.note('failed', at), undefined);
    assert.deepEqual(watch.note('answered', 19), { cause: 'errors', count: 19, observations: 20 });
  });

  it('counts errors by answers, and flips by comparisons', () => {
    const watch = new RollbackWatch(rule);
    for (let at = 0; at < 1_000; at++) assert.equal(watch.note('answered', at), undefined);
    for (let at = 0; at < 10; at++) assert.equal(watch.note('same', at), undefined);
    let found: ReturnType<typeof watch.note>;
    for (let flips = 0; found === undefined && flips < 20; flips++) found = watch.note('flipped', 1_000);
    assert.equal(found?.cause, 'flips');
    assert.equal(found.observations, found.count + 10);
  });

  it('forgets what lies before the window', () => {
    const watch = new RollbackWatch(rule);
    for (let at = 0; at < 19; at++) watch.note('failed', at);
    for (let at = 0; at < 100; at++) assert.equal(watch.note('answered', 70_000 + at), undefined);
  });

  it('judges nothing that no limit is set for', () => {
    const watch = new RollbackWatch({ ...rule, maxErrorPercent: undefined });
    for (let at = 0; at < 100; at++) assert.equal(watch.note('failed', at), undefined);
  });

  it('with a limit of 0 percent suffers no failure', () => {
    const watch = new RollbackWatch({ ...rule, maxErrorPercent: 0 });
    for (let at = 0; at < 100; at++) assert.equal(watch.note('answered', at), undefined);
    assert.deepEqual(watch.note('failed', 100), { cause: 'errors', count: 1, observations: 101 });
  });

  it('leaves a candidate on its limit alone, however often it is looked at', () => {
    // Every twentieth input fails: exactly the limit.
    const watch = new RollbackWatch(rule);
    for (let at = 0; at < 20_000; at++)
      assert.equal(watch.note(at % 20 === 19 ? 'failed' : 'answered', at), undefined);
  });
});

describe('a share that is surely above a limit', () => {
  it('has three standard errors between', () => {
    assert.equal(surelyAbove(0, 1_000, 0), false);
    assert.equal(surelyAbove(6, 100, 5), false);
    assert.equal(surelyAbove(600, 10_000, 5), true);
    assert.equal(surelyAbove(10, 20, 5), true);
    assert.equal(surelyAbove(1, 20, 0), true);
  });
});

describe('counts of a window', () => {
  it('leave it part by part, and come back to nothing after a pause', () => {
    const counts = new SlidingCounts(['a', 'b'], 20_000);
    for (let second = 0; second < 30; second++) counts.add('a', second * 1000);
    counts.add('b', 29_000);
    assert.deepEqual(counts.totals(29_000), { a: 21, b: 1 });
    assert.deepEqual(counts.totals(45_000), { a: 5, b: 1 });
    assert.deepEqual(counts.totals(1e9), { a: 0, b: 0 });
    counts.add('a', 1e9);
    assert.deepEqual(counts.totals(1e9), { a: 1, b: 0 });
  });
});
