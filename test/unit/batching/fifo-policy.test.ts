import assert from 'node:assert/strict';
import { test } from 'node:test';
import { selectInOrder } from '../../../src/batching/dispatch/policies.js';

const facts = {
  now: 0,
  queuedItems: 5,
  queuedTokens: 100,
  idleRunners: 1,
  budgetTokens: 10,
  maxItems: 3,
  maxRunMs: Number.POSITIVE_INFINITY,
  maxAgeMs: 1_000,
  curve: { baseMs: 1, msPerToken: 1, msPerTokenSquared: 0 },
};
const window = Array.from({ length: 5 }, () => ({ tokens: 20, enqueuedAt: 0, deadlineAt: 1_000 }));

test('fifo takes the oldest inputs in order, whatever their lengths', () => {
  const { positions, reason } = selectInOrder(window, facts);
  assert.deepEqual(Array.from(positions), [0, 1, 2]);
  assert.equal(reason, 'items');
});

test('fifo takes everything when there is less than a full batch', () => {
  const { positions, reason } = selectInOrder(window, { ...facts, maxItems: 8 });
  assert.deepEqual(Array.from(positions), [0, 1, 2, 3, 4]);
  assert.equal(reason, 'drained');
});
