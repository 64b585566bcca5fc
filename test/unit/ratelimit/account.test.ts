import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { VerdictError } from '../../../src/errors.js';
import { Account } from '../../../src/ratelimit/account.js';
import { RateLimiter } from '../../../src/ratelimit/rate-limiter.js';
import type { RateLimit, RateLimits } from '../../../src/ratelimit/types.js';

const none: RateLimits = { requestsPerMinute: 0, tokensPerMinute: 0, textsInFlight: 0 };

function refusal(run: () => unknown): Pick<VerdictError, 'code' | 'reason' | 'message' | 'retryAfterMs'> {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof VerdictError);
    const { code, reason, message, retryAfterMs } = error;
    return { code, reason, message, retryAfterMs };
  }
  throw new assert.AssertionError({ message: 'it was let in' });
}

/** At once: in memory nobody waits. */
function letIn(account: Account | undefined, inputs: number): void {
  assert.equal(account?.enter(inputs), undefined);
}

describe('an account', () => {
  it('lets a batch in whole or not at all', () => {
    const account = new Account('key:search', { ...none, requestsPerMinute: 10 });
    letIn(account, 8);
    const refused = refusal(() => account.enter(3));
    assert.equal(refused.message, "over the caller's limit: at most 10 inputs a minute");
    assert.ok((refused.retryAfterMs ?? 0) > 5_000 && (refused.retryAfterMs ?? 0) <= 6_000);
    letIn(account, 2);
  });

  it('refuses for good what is more than a minute, and costs nothing by it', () => {
    const account = new Account('key:search', { ...none, requestsPerMinute: 10 });
    assert.deepEqual(
      refusal(() => account.enter(11)),
      {
        code: 'resource_exhausted',
        reason: 'RATE_LIMITED',
        message: "the batch has more inputs than the caller's limit: at most 10 inputs a minute",
        retryAfterMs: undefined,
      },
    );
    letIn(account, 10);
  });

  it('counts texts until they leave, whatever became of them', () => {
    const account = new Account('key:search', { ...none, textsInFlight: 3 });
    letIn(account, 2);
    assert.equal(refusal(() => account.enter(2)).retryAfterMs, 100);
    assert.equal(refusal(() => account.enter(4)).retryAfterMs, undefined);
    account.leave(17);
    letIn(account, 2);
    account.leave(0);
    account.leave(0);
    account.leave(0);
    letIn(account, 3);
  });

  it('debits tokens when they are known, and refuses while more than a minute of them is owed', () => {
    const refused: [RateLimit, number][] = [];
    const limits = { ...none, tokensPerMinute: 600 };
    const hooks = { onRefused: (limit: RateLimit, inputs: number) => void refused.push([limit, inputs]) };
    const account = new Account('key:search', limits, { hooks });
    letIn(account, 2);
    account.leave(500);
    account.leave(500);
    const { retryAfterMs = 0 } = refusal(() => account.enter(4));
    assert.ok(retryAfterMs > 39_000 && retryAfterMs <= 40_000, String(retryAfterMs));
    assert.deepEqual(refused, [['tokensPerMinute', 4]]);
  });

  it('keeps what was used when its limits change', () => {
    const account = new Account('key:search', { ...none, requestsPerMinute: 10 });
    letIn(account, 10);
    account.limit({ ...none, requestsPerMinute: 1_000 });
    const { retryAfterMs = 0 } = refusal(() => account.enter(100));
    assert.ok(retryAfterMs > 5_000 && retryAfterMs <= 6_000, String(retryAfterMs));
    account.limit(none);
    letIn(account, 1_000_000);
  });
});

describe('the accounts of all callers', () => {
  it('keeps what was used of a limit while another one is in force', () => {
    const requests = { ...none, requestsPerMinute: 2 };
    const tokens = { ...none, tokensPerMinute: 50 };
    const account = new Account('jwt:alice', requests);
    letIn(account, 2);
    account.leave(0);
    account.limit(tokens);
    letIn(account, 1);
    account.leave(100);
    account.limit(requests);
    assert.equal(refusal(() => account.enter(1)).reason, 'RATE_LIMITED');
    account.limit(tokens);
    assert.equal(refusal(() => account.enter(1)).reason, 'RATE_LIMITED');
  });

  it('are there for those who have a limit alone, and hold for each by itself', () => {
    const limiter = new RateLimiter({ defaults: { ...none, requestsPerMinute: 2 } });
    letIn(limiter.accountOf('10.0.0.1'), 2);
    assert.throws(() => letIn(limiter.accountOf('10.0.0.1'), 1));
    letIn(limiter.accountOf('10.0.0.2'), 2);
    assert.equal(limiter.accountOf('key:free', none), undefined);
    letIn(limiter.accountOf('key:search', { ...none, textsInFlight: 1 }), 1);
    assert.equal(new RateLimiter({ defaults: none }).accountOf('10.0.0.1'), undefined);
  });
});
