import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { VerdictClientError } from '../../../clients/typescript/src/client-error.js';
import {
  DEFAULT_RETRY,
  type RetryClock,
  retryDelayMs,
  withRetries,
} from '../../../clients/typescript/src/retry.js';
import { NO_DETAILS } from '../../../clients/typescript/src/status-details.js';

const NO_LIMITS = { deadlineAt: Number.POSITIVE_INFINITY, signal: undefined };

/** A clock that moves only when somebody sleeps. */
function handClock(random = 0.5) {
  const sleeps: number[] = [];
  let now = 0;
  const clock: RetryClock = {
    now: () => now,
    random: () => random,
    sleep: async (ms) => {
      sleeps.push(ms);
      now += ms;
    },
  };
  return { clock, sleeps };
}

/** Fails with each error in turn, then succeeds. */
function failing(...errors: unknown[]) {
  let calls = 0;
  const attempt = async () => {
    const error = errors[calls++];
    if (error !== undefined) throw error;
    return 'answer';
  };
  return { attempt, calls: () => calls };
}

const unavailable = () => new VerdictClientError('UNAVAILABLE', 'no');
const shed = (retryAfterMs: number) =>
  new VerdictClientError('RESOURCE_EXHAUSTED', 'full', { ...NO_DETAILS, retryAfterMs });

test('A call that fails for a moment is tried again, with pauses whose bound doubles', async () => {
  const { clock, sleeps } = handClock();
  const { attempt } = failing(unavailable(), unavailable(), unavailable());
  assert.equal(await withRetries(attempt, DEFAULT_RETRY, NO_LIMITS, clock), 'answer');
  assert.deepEqual(sleeps, [25, 50, 100]);
});

test('The last error is thrown when the attempts are used up', async () => {
  const { clock } = handClock();
  const last = unavailable();
  const { attempt, calls } = failing(unavailable(), unavailable(), unavailable(), last);
  await assert.rejects(withRetries(attempt, DEFAULT_RETRY, NO_LIMITS, clock), (error) => error === last);
  assert.equal(calls(), 4);
});

test('A retry comes no earlier than RetryInfo asks, and later by the jitter', async () => {
  const { clock, sleeps } = handClock();
  const { attempt } = failing(shed(700));
  await withRetries(attempt, DEFAULT_RETRY, NO_LIMITS, clock);
  assert.deepEqual(sleeps, [725]);
});

test('A wait that would pass the deadline is not begun: the refusal is thrown at once', async () => {
  const { clock, sleeps } = handClock();
  const refusal = shed(700);
  const { attempt, calls } = failing(refusal);
  const limits = { deadlineAt: 700, signal: undefined };
  await assert.rejects(withRetries(attempt, DEFAULT_RETRY, limits, clock), (error) => error === refusal);
  assert.equal(calls(), 1);
  assert.deepEqual(sleeps, []);
});

for (const error of [
  new VerdictClientError('INVALID_ARGUMENT', 'blank'),
  new VerdictClientError('DEADLINE_EXCEEDED', 'late'),
  new VerdictClientError('INTERNAL', 'broken'),
  new VerdictClientError('RESOURCE_EXHAUSTED', 'message too large'),
  new TypeError('not of this client'),
]) {
  test(`What another attempt would not change is thrown at once: ${error.message}`, async () => {
    const { clock } = handClock();
    const { attempt, calls } = failing(error);
    await assert.rejects(withRetries(attempt, DEFAULT_RETRY, NO_LIMITS, clock), (thrown) => thrown === error);
    assert.equal(calls(), 1);
  });
}

test('An abort during the pause rejects with CANCELLED', async () => {
  const controller = new AbortController();
  const clock: RetryClock = {
    now: () => 0,
    random: () => 0.5,
    sleep: async (_ms, signal) => {
      controller.abort(new Error('enough'));
      signal?.throwIfAborted();
    },
  };
  const limits = { deadlineAt: Number.POSITIVE_INFINITY, signal: controller.signal };
  await assert.rejects(withRetries(failing(unavailable()).attempt, DEFAULT_RETRY, limits, clock), {
    name: 'VerdictClientError',
    code: 'CANCELLED',
  });
});

test('Every pause lies between what the server asked for and that plus the bound', () => {
  fc.assert(
    fc.property(
      fc.record({
        maxAttempts: fc.integer({ min: 1, max: 20 }),
        initialBackoffMs: fc.integer({ min: 1, max: 1_000 }),
        maxBackoffMs: fc.integer({ min: 1, max: 10_000 }),
      }),
      fc.integer({ min: 1, max: 100 }),
      fc.option(fc.integer({ min: 0, max: 60_000 }), { nil: undefined }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (policy, attempts, retryAfterMs, random) => {
        const delayMs = retryDelayMs(policy, attempts, retryAfterMs, random);
        const floor = retryAfterMs ?? 0;
        assert.ok(delayMs >= floor);
        assert.ok(
          delayMs <= floor + Math.min(policy.maxBackoffMs, policy.initialBackoffMs * 2 ** (attempts - 1)),
        );
      },
    ),
  );
});
