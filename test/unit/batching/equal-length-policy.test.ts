import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ofEqualLength, policies } from '../../../src/batching/dispatch/policies.js';
import { outcomeOf, setUp } from './batcher-setup.js';
import { ManualRunner } from './fake-runners.js';

const facts = {
  now: 0,
  queuedItems: 7,
  queuedTokens: 84,
  idleRunners: 1,
  budgetTokens: 30,
  maxItems: 8,
  maxRunMs: Number.POSITIVE_INFINITY,
  maxAgeMs: 1_000,
  curve: { baseMs: 1, msPerToken: 1, msPerTokenSquared: 0 },
};
const window = [10, 12, 10, 12, 10, 12, 10].map((tokens) => ({ tokens, enqueuedAt: 0, deadlineAt: 1_000 }));

describe('a policy of equal lengths', () => {
  it('takes only what is as long as the most urgent input, within the limits of the other policy', () => {
    for (const { select } of Object.values(policies)) {
      const { positions, reason } = ofEqualLength(select)(window, { ...facts, maxItems: 3 });
      assert.deepEqual(Array.from(positions).slice(0, 1), [0]);
      assert.ok(Array.from(positions).every((position) => position % 2 === 0 && positions.length <= 3));
      assert.notEqual(reason, 'drained');
    }
  });

  it('says that length was the reason where it was', () => {
    const { positions, reason } = ofEqualLength(policies.length.select)(window, {
      ...facts,
      budgetTokens: 100,
    });
    assert.deepEqual([Array.from(positions), reason], [[0, 2, 4, 6], 'length']);
  });

  it('never pads, and answers everybody', async () => {
    const { batcher, clock, submit } = setUp({ equalLengths: true });
    const runner = new ManualRunner();
    batcher.attach(runner);
    const lengths = [7, 9, 7, 8, 9, 7, 3];
    const submissions = lengths.map((tokens, i) => submit(`${i}`, tokens));
    await clock.settle();
    while (runner.runs.length > 0) {
      assert.equal(new Set(runner.current.inputs.map(({ tokens }) => tokens)).size, 1);
      runner.current.succeed();
      await clock.settle();
    }
    assert.deepEqual(
      await Promise.all(submissions.map(outcomeOf)),
      lengths.map((_, i) => `${i}`),
    );
    assert.equal(runner.log.length, 4);
  });
});
