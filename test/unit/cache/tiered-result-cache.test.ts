import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LruStore } from '../../../src/cache/lru-store.js';
import { TieredResultCache } from '../../../src/cache/tiered-result-cache.js';
import type { CacheEntry, CacheKey, CacheStore, Computed, Resolved } from '../../../src/cache/types.js';
import { computedOf, entryOf, shapeOf } from '../../support/cache-entries.js';
import { patientClaim } from '../../support/patient-claim.js';
import { ToldStages } from '../../support/told-stages.js';

const shape = shapeOf(1);

/** A shared tier whose answers the test can hold back. */
class FakeRedis implements CacheStore {
  readonly entries = new Map<CacheKey, CacheEntry>();
  readonly reads: CacheKey[] = [];
  hold: Promise<void> = Promise.resolve();

  async get(key: CacheKey): Promise<CacheEntry | undefined> {
    this.reads.push(key);
    await this.hold;
    return this.entries.get(key);
  }

  set(key: CacheKey, entry: CacheEntry): void {
    this.entries.set(key, entry);
  }
}

function gate() {
  let open = (): void => {};
  const closed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { closed, open };
}

function countedCompute(...logits: number[]) {
  const state = { runs: 0 };
  const compute = async (): Promise<Computed> => {
    state.runs += 1;
    return computedOf(...logits);
  };
  return { state, compute };
}

function tiers() {
  const lru = new LruStore({ maxBytes: 100_000 });
  const redis = new FakeRedis();
  return { lru, redis, cache: new TieredResultCache({ lru, redis }) };
}

test('a miss computes, fills both tiers, and is a hit in memory from then on, without a promise', async () => {
  const { redis, cache } = tiers();
  const { state, compute } = countedCompute(1);
  const first = await cache.resolve('k', shape, 'use', patientClaim(), compute);
  assert.equal(first.outcome, 'miss');
  assert.deepEqual(first.timings, computedOf().timings);
  const second = cache.resolve('k', shape, 'use', patientClaim(), compute);
  assert.ok(!(second instanceof Promise));
  assert.deepEqual(second, {
    entry: entryOf(1),
    outcome: 'lru',
    timings: { tokenizeMs: 0, queueMs: 0, inferenceMs: 0, batchSize: 0 },
  });
  assert.equal(state.runs, 1);
  assert.deepEqual(redis.entries.get('k'), entryOf(1));
});

test('a hit in Redis fills the memory tier and computes nothing', async () => {
  const { redis, cache } = tiers();
  redis.entries.set('k', entryOf(5));
  const { state, compute } = countedCompute(1);
  const first = await cache.resolve('k', shape, 'use', patientClaim(), compute);
  assert.equal(first.outcome, 'redis');
  assert.deepEqual(first.entry, entryOf(5));
  assert.equal(first.timings.batchSize, 0);
  const second = cache.resolve('k', shape, 'use', patientClaim(), compute);
  assert.ok(!(second instanceof Promise));
  assert.equal(state.runs, 0);
});

test('a hundred identical callers ask Redis once and compute once', async () => {
  const { redis, cache } = tiers();
  const { state, compute } = countedCompute(1);
  const waits = Array.from({ length: 100 }, async () =>
    cache.resolve('k', shape, 'use', patientClaim(), compute),
  );
  const answers = await Promise.all(waits);
  assert.equal(state.runs, 1);
  assert.deepEqual(redis.reads, ['k']);
  assert.equal(answers.filter(({ outcome }) => outcome === 'coalesced').length, 99);
});

test('a bypass neither reads nor writes nor joins nor is joined', async () => {
  const { lru, redis, cache } = tiers();
  redis.entries.set('k', entryOf(5));
  const { closed, open } = gate();
  let runs = 0;
  const compute = async (): Promise<Computed> => {
    runs += 1;
    await closed;
    return computedOf(runs);
  };
  const waits = (['bypass', 'bypass', 'use'] as const).map(async (mode) =>
    cache.resolve('k', shape, mode, patientClaim(), compute),
  );
  assert.equal(runs, 2);
  open();
  const outcomes = (await Promise.all(waits)).map(({ outcome }) => outcome);
  assert.deepEqual(outcomes, ['bypassed', 'bypassed', 'redis']);
  assert.deepEqual(redis.entries.get('k'), entryOf(5));
  assert.deepEqual(lru.get('k'), entryOf(5));
});

test('a refresh reads nothing, computes, and overwrites both tiers', async () => {
  const { lru, redis, cache } = tiers();
  redis.entries.set('k', entryOf(5));
  lru.set('k', entryOf(5));
  const { compute } = countedCompute(6);
  const refreshed = await cache.resolve('k', shape, 'refresh', patientClaim(), compute);
  assert.equal(refreshed.outcome, 'miss');
  assert.deepEqual(redis.reads, []);
  assert.deepEqual(lru.get('k'), entryOf(6));
  assert.deepEqual(redis.entries.get('k'), entryOf(6));
});

test('what a flight finds after a refresh has overtaken it is not kept', async () => {
  const { lru, redis, cache } = tiers();
  redis.entries.set('k', entryOf(5));
  const { closed, open } = gate();
  redis.hold = closed;
  const { compute } = countedCompute(6);
  const overtaken = cache.resolve('k', shape, 'use', patientClaim(), compute);
  await cache.resolve('k', shape, 'refresh', patientClaim(), compute);
  redis.entries.set('k', entryOf(5));
  open();
  assert.deepEqual((await overtaken).entry, entryOf(5));
  assert.deepEqual(lru.get('k'), entryOf(6));
});

test('later callers join a refresh under way', async () => {
  const { cache } = tiers();
  const { closed, open } = gate();
  const slow = async (): Promise<Computed> => {
    await closed;
    return computedOf(6);
  };
  const { state, compute } = countedCompute(7);
  const refresh = cache.resolve('k', shape, 'refresh', patientClaim(), slow);
  const joiner = cache.resolve('k', shape, 'use', patientClaim(), compute);
  open();
  assert.deepEqual((await refresh).entry, entryOf(6));
  assert.equal((await joiner).outcome, 'coalesced');
  assert.equal(state.runs, 0);
});

test('of a batch with one new text, one is computed', async () => {
  const { cache } = tiers();
  const { state, compute } = countedCompute(1);
  const keys = Array.from({ length: 64 }, (_, index) => `k${index}`);
  await Promise.all(
    keys.slice(0, 63).map(async (key) => cache.resolve(key, shape, 'use', patientClaim(), compute)),
  );
  state.runs = 0;
  const batch: Resolved[] = await Promise.all(
    keys.map(async (key) => cache.resolve(key, shape, 'use', patientClaim(), compute)),
  );
  assert.equal(state.runs, 1);
  assert.equal(batch.filter(({ outcome }) => outcome === 'lru').length, 63);
  assert.equal(batch.at(-1)?.outcome, 'miss');
});

test('an error is not kept: the next caller computes', async () => {
  const { cache } = tiers();
  const failing = cache.resolve('k', shape, 'use', patientClaim(), () => Promise.reject(new Error('broken')));
  await assert.rejects(async () => failing, /broken/);
  const { compute } = countedCompute(1);
  assert.equal((await cache.resolve('k', shape, 'use', patientClaim(), compute)).outcome, 'miss');
});

test('when all have left while Redis was asked, nothing is computed', async () => {
  const { redis, cache } = tiers();
  const { closed, open } = gate();
  redis.hold = closed;
  const { state, compute } = countedCompute(1);
  const call = new AbortController();
  const answer = cache.resolve('k', shape, 'use', patientClaim({ signal: call.signal }), compute);
  call.abort();
  await assert.rejects(async () => answer);
  open();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(state.runs, 0);
});

test('it works with memory alone, and with no tier at all flights still coalesce', async () => {
  const memoryOnly = new TieredResultCache({ lru: new LruStore({ maxBytes: 10_000 }) });
  const { state, compute } = countedCompute(1);
  await memoryOnly.resolve('k', shape, 'use', patientClaim(), compute);
  assert.equal((await memoryOnly.resolve('k', shape, 'use', patientClaim(), compute)).outcome, 'lru');
  assert.equal(state.runs, 1);

  const none = new TieredResultCache({});
  const answers = await Promise.all(
    [1, 2].map(async () => none.resolve('k', shape, 'use', patientClaim(), compute)),
  );
  assert.deepEqual(
    answers.map(({ outcome }) => outcome),
    ['miss', 'coalesced'],
  );
  assert.equal((await none.resolve('k', shape, 'use', patientClaim(), compute)).outcome, 'miss');
});

for (const [fault, entry] of [
  ['logits', entryOf(Number.NaN)],
  ['logits', entryOf(Number.POSITIVE_INFINITY)],
  ['logits', entryOf(Number.NEGATIVE_INFINITY)],
  ['labels', entryOf(1, 2)],
  ['labels', entryOf()],
  ['tokens', { ...entryOf(1), tokenCount: 0 }],
  ['tokens', { ...entryOf(1), tokenCount: 513 }],
  ['tokens', { ...entryOf(1), tokenCount: Number.NaN }],
] as const) {
  const told = `${entry.logits.length} logits (${entry.logits.join()}), ${entry.tokenCount} tokens`;
  test(`what is computed and cannot be right is kept in no tier: ${told}`, async () => {
    for (const mode of ['use', 'refresh'] as const) {
      const lru = new LruStore({ maxBytes: 100_000 });
      const redis = new FakeRedis();
      const faults: string[] = [];
      const cache = new TieredResultCache(
        { lru, redis },
        { onInvalid: (origin, reason) => faults.push(`${origin} ${reason}`) },
      );
      const compute = async () => ({ ...computedOf(), entry });
      const answer = await cache.resolve('k', shape, mode, patientClaim(), compute);
      assert.deepEqual(answer.entry, entry);
      assert.equal(lru.get('k'), undefined);
      assert.equal(redis.entries.size, 0);
      assert.deepEqual(faults, [`computed ${fault}`]);
    }
  });
}

test('each tier that was asked is a stage of the trace', async () => {
  const { cache } = tiers();
  const { compute } = countedCompute(1);
  const [miss, hit, bypass] = [new ToldStages(), new ToldStages(), new ToldStages()];
  await cache.resolve('k', shape, 'use', patientClaim({ trace: miss }), compute);
  await cache.resolve('k', shape, 'use', patientClaim({ trace: hit }), compute);
  await cache.resolve('k', shape, 'bypass', patientClaim({ trace: bypass }), compute);
  assert.deepEqual([miss.names, hit.names, bypass.names], [['memory', 'redis'], ['memory'], []]);
});
