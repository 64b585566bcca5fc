import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RunCap } from '../../../src/batching/dispatch/run-cap.js';

const curve = { baseMs: 3, msPerToken: 0.15, msPerTokenSquared: 0 };
const options = { maxRunMs: 250, maxRunPercent: 25, budgetTokens: 512 };
const arrival = { tokens: 10, whenFull: 'refuse', serviceClass: 'interactive' } as const;
const input = (deadlineAt: number, enqueuedAt = 0) => ({ tokens: 10, enqueuedAt, deadlineAt });

describe('the cap on the run time of a batch', () => {
  test('is the configured one where nobody is in a hurry', () => {
    const cap = new RunCap(options);
    assert.equal(cap.capMs([input(Number.POSITIVE_INFINITY), input(30_000)], 0, curve), 250);
    assert.equal(new RunCap({ ...options, maxRunMs: 0 }).capMs([], 0, curve), Number.POSITIVE_INFINITY);
  });

  test('is a quarter of the time that the most hurried input in the window was given', () => {
    assert.equal(new RunCap(options).capMs([input(1_300, 1_000), input(9_000)], 1_100, curve), 75);
  });

  test('remembers for ten seconds how much time interactive inputs were given', () => {
    const cap = new RunCap(options);
    cap.note({ ...arrival, deadlineAt: 1_200 }, 1_000);
    cap.note({ ...arrival, deadlineAt: 1_050, serviceClass: 'bulk' }, 1_000);
    cap.note({ ...arrival, deadlineAt: 900 }, 1_000);
    assert.equal(cap.capMs([], 1_000, curve), 50);
    assert.equal(cap.capMs([], 11_000, curve), 50);
    assert.equal(cap.capMs([], 13_000, curve), 250);
  });

  test('never makes the base more than a quarter of a run', () => {
    const cap = new RunCap(options);
    cap.note({ ...arrival, deadlineAt: 5 }, 0);
    assert.equal(cap.capMs([], 0, curve), 12);
    // A base of nothing is not believed: a fortieth of a full batch stands in for it.
    assert.ok(Math.abs(cap.capMs([], 0, { ...curve, baseMs: 0 }) - 7.68) < 1e-9);
  });

  test('is off at 0 per cent', () => {
    const cap = new RunCap({ ...options, maxRunPercent: 0 });
    cap.note({ ...arrival, deadlineAt: 100 }, 0);
    assert.equal(cap.capMs([input(100)], 0, curve), 250);
  });
});
