import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type FollowOutcome, followModels, lookDelayMs } from '../../src/app/follow-models.js';

/** Follows sources that nobody should get to. */
function follow(
  sources: readonly (readonly [reference: string, name?: string])[],
): Promise<readonly FollowOutcome[]> {
  const access = {
    hub: { endpoint: 'http://127.0.0.1:1', token: undefined, cacheDir: '/nowhere', offline: true },
    s3: { endpoint: 'http://127.0.0.1:1', region: 'nowhere' },
    mlflow: { trackingUri: 'http://127.0.0.1:1', credentials: undefined },
  };
  return followModels({
    sources: sources.map(([reference, name]) => ({ reference, name })),
    ...{ modelsDir: '/nowhere', path: undefined, precisions: [], intervalMs: 1, once: true },
    access,
    signal: AbortSignal.timeout(1_000),
    onEvent: () => assert.fail('a source was looked at'),
  });
}

it('a follower waits its interval, twice as long after each failure, and five minutes at most, or its interval', () => {
  assert.equal(lookDelayMs(30_000, 0, 1), 30_000);
  assert.equal(lookDelayMs(30_000, 0, 0), 24_000);
  assert.equal(lookDelayMs(30_000, 2, 1), 120_000);
  assert.equal(lookDelayMs(30_000, 1_000_000, 1), 300_000);
  assert.equal(lookDelayMs(3_600_000, 7, 1), 3_600_000);
});

it('two sources of one model are refused before either is looked at, whether the name is given or their own', async () => {
  const first = 's3://team/models/topics/';
  const others = [
    ['file:///models/topics/3'],
    ['hf://org/Topics@v2'],
    ['mlflow://topics@champion'],
    ['mlflow://others/7', 'topics'],
  ] as const;
  for (const other of others) {
    await assert.rejects(follow([[first], other]), {
      message: `${first} and ${other[0]} are both called topics: call one otherwise, NAME=SOURCE`,
    });
  }
});
