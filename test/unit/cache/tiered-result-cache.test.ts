import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LruStore } from '../../../src/cache/lru-store.js';
import { TieredResultCache } from '../../../src/cache/tiered-result-cache.js';
import type { CacheEntry, CacheKey, CacheStore, Computed, Resolved } from '../../../src/cache/types.js';
import { VerdictError } from '../../../src/errors.js';
import { computedOf, entryOf, shapeOf } from '../../support/cache-entries.js';
import { patientClaim } from '../../support/patient-claim.js';
import { ToldStages } from '../../support/told-stages.js';

const shape = shapeOf(1);

/** A shared tier whose answers the test can hold back. */
class FakeRedis implements CacheStore {
  readonly entries = new Map<CacheKey, CacheEntry>();
  readonly reads: CacheKey[] = [];
  hold: Promise<void> = Promise.resolve();
  holdForgets: Promise<void> = Promise.resolve();
  /** Whether it answers that entries are gone. */
  confirms = true;

  async get(key: CacheKey): Promise<CacheEntry | undefined> {
    this.reads.push(key);
    await this.hold;
    return this.entries.get(key);
  }

  set(key: CacheKey, entry: CacheEntry): void {
    this.entries.set(key, entry);
  }

  async forget(keys: readonly CacheKey[]): Promise<number | undefined> {
    await this.holdForgets;
    if (!this.confirms) return undefined;
    return keys.filter((key) => this.entries.delete(key)).length;
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

test('what is forgotten is in no tier, and is computed anew', async () => {
  const { lru, redis, cache } = tiers();
  const { state, compute } = countedCompute(1);
  for (const key of ['k', 'other']) await cache.resolve(key, shape, 'use', patientClaim(), compute);
  redis.entries.set('only in Redis', entryOf(2));
  const removed = await cache.forget(['k', 'only in Redis', 'never asked']);
  assert.deepEqual(removed, { memory: 1, redis: 2 });
  assert.deepEqual([lru.get('k'), lru.get('other')], [undefined, entryOf(1)]);
  assert.deepEqual([...redis.entries.keys()], ['other']);
  assert.equal((await cache.resolve('k', shape, 'use', patientClaim(), compute)).outcome, 'miss');
  assert.equal(state.runs, 3);
  assert.deepEqual(redis.entries.get('k'), entryOf(1));
});

test('a computation under way answers its waiters, is joined by nobody else, and is not kept', async () => {
  const { lru, redis, cache } = tiers();
  for (const mode of ['use', 'refresh'] as const) {
    const { closed, open } = gate();
    const slow = async (): Promise<Computed> => {
      await closed;
      return computedOf(1);
    };
    const waiters = [mode, 'use' as const].map(async (each) =>
      cache.resolve('k', shape, each, patientClaim(), slow),
    );
    await cache.forget(['k']);
    const { closed: alsoClosed, open: alsoOpen } = gate();
    const later = cache.resolve('k', shape, 'use', patientClaim(), async () => {
      await alsoClosed;
      return computedOf(2);
    });
    open();
    const answers = await Promise.all(waiters);
    assert.deepEqual(
      answers.map(({ entry, outcome }) => [entry.logits[0], outcome]),
      [
        [1, 'miss'],
        [1, 'coalesced'],
      ],
    );
    assert.deepEqual([lru.get('k'), redis.entries.size], [undefined, 0]);
    alsoOpen();
    assert.equal((await later).outcome, 'miss');
    assert.deepEqual(lru.get('k'), entryOf(2));
    await cache.forget(['k']);
  }
});

test('a computation that all have left is not kept either, if it ends after all', async () => {
  for (const forgets of [true, false]) {
    const { lru, redis, cache } = tiers();
    const { closed, open } = gate();
    const call = new AbortController();
    let ended = Promise.resolve();
    const answer = cache.resolve('k', shape, 'use', patientClaim({ signal: call.signal }), () => {
      const computed = closed.then(() => computedOf(1));
      ended = computed.then(() => {});
      return computed;
    });
    await new Promise((resolve) => setImmediate(resolve));
    call.abort();
    await assert.rejects(async () => answer);
    if (forgets) await cache.forget(['k']);
    open();
    await ended;
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual([lru.get('k') === undefined, redis.entries.size === 0], [forgets, forgets]);
  }
});

test('a look-up that finds in Redis what is about to be removed there does not bring it back', async () => {
  const { lru, redis, cache } = tiers();
  const { compute } = countedCompute(1);
  redis.entries.set('k', entryOf(5));
  for (const landsFirst of [true, false]) {
    redis.entries.set('k', entryOf(5));
    const reads = gate();
    const removal = gate();
    redis.holdForgets = removal.closed;
    redis.hold = reads.closed;
    const forgotten = cache.forget(['k']);
    const found = cache.resolve('k', shape, 'use', patientClaim(), compute);
    if (landsFirst) {
      reads.open();
      assert.equal((await found).outcome, 'redis');
      removal.open();
      assert.deepEqual(await forgotten, { memory: 1, redis: 1 });
    } else {
      // The answer of Redis is on its way while the entry goes.
      const entry = redis.entries.get('k');
      removal.open();
      await forgotten;
      if (entry !== undefined) redis.entries.set('k', entry);
      reads.open();
      assert.equal((await found).outcome, 'redis');
      redis.entries.clear();
    }
    assert.equal(lru.get('k'), undefined);
  }
});

test('without the word of Redis nothing counts as forgotten, but memory forgets', async () => {
  const { lru, redis, cache } = tiers();
  const { compute } = countedCompute(1);
  await cache.resolve('k', shape, 'use', patientClaim(), compute);
  redis.confirms = false;
  await assert.rejects(cache.forget(['k']), (error: unknown) => {
    assert.ok(error instanceof VerdictError);
    assert.deepEqual([error.code, error.reason], ['unavailable', 'CACHE_NOT_FORGOTTEN']);
    return true;
  });
  assert.equal(lru.get('k'), undefined);
  redis.confirms = true;
  assert.deepEqual(await cache.forget(['k']), { memory: 0, redis: 1 });
});

test('memory alone forgets, and so does a cache without tiers', async () => {
  const { compute } = countedCompute(1);
  const memoryOnly = new TieredResultCache({ lru: new LruStore({ maxBytes: 10_000 }) });
  await memoryOnly.resolve('k', shape, 'use', patientClaim(), compute);
  assert.deepEqual(await memoryOnly.forget(['k']), { memory: 1, redis: 0 });
  assert.deepEqual(await new TieredResultCache({}).forget(['k']), { memory: 0, redis: 0 });
});
