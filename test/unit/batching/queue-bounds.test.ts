import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Bounded, QueueBounds } from '../../../src/batching/queueing/queue-bounds.js';

const unary: Bounded = { tokens: 10, whenFull: 'refuse', serviceClass: 'interactive', flow: undefined };
const streamed: Bounded = { tokens: 10, whenFull: 'wait', serviceClass: 'bulk', flow: undefined };

function fill(bounds: QueueBounds, input: Bounded, somebodyWaits = false): number {
  let count = 0;
  while (bounds.admits(input, somebodyWaits)) {
    bounds.enter(input);
    count++;
  }
  return count;
}

describe('the bounds of the queue', () => {
  test('are in inputs', () => {
    assert.equal(fill(new QueueBounds(8, 1_000), unary), 8);
  });

  test('are in tokens', () => {
    assert.equal(fill(new QueueBounds(100, 55), unary), 5);
  });

  test('let one input of any length into an empty queue', () => {
    assert.equal(fill(new QueueBounds(100, 5), { ...unary, tokens: 50 }), 1);
  });

  test('keep a quarter free of inputs that would rather wait, for those that would be refused', () => {
    const bounds = new QueueBounds(8, 1_000);
    assert.equal(fill(bounds, streamed), 6);
    assert.equal(fill(bounds, unary, true), 2);
  });

  test('keep a quarter free of one caller for the others', () => {
    const bounds = new QueueBounds(8, 1_000);
    const [greedy, careful] = [{}, {}];
    assert.equal(fill(bounds, { ...unary, flow: greedy }), 6);
    assert.equal(fill(bounds, { ...unary, flow: careful }), 2);
    bounds.leave({ ...unary, flow: greedy });
    assert.equal(fill(bounds, { ...unary, flow: careful }), 1);
    assert.equal(bounds.items, 8);
  });

  test('keep a quarter for those that wait, as long as somebody waits', () => {
    const bounds = new QueueBounds(8, 1_000);
    assert.equal(fill(bounds, unary, true), 6);
    assert.equal(fill(bounds, streamed), 2);
  });

  test('let a queue of one input be used by either', () => {
    assert.equal(fill(new QueueBounds(1, 10), unary), 1);
    assert.equal(fill(new QueueBounds(1, 10), streamed), 1);
  });

  test('count down what leaves', () => {
    const bounds = new QueueBounds(8, 1_000);
    bounds.enter(unary);
    bounds.enter(streamed);
    bounds.leave(unary);
    assert.deepEqual([bounds.items, bounds.tokens, bounds.of('bulk').squares], [1, 10, 100]);
    bounds.leave(streamed);
    assert.deepEqual([bounds.items, bounds.tokens, bounds.of('bulk').squares], [0, 0, 0]);
  });
});
