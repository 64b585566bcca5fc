import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Redis } from 'ioredis';
import { encodeEntry } from '../../../src/cache/entry-codec.js';
import { LruStore } from '../../../src/cache/lru-store.js';
import { RedisStore, type RedisStoreOptions } from '../../../src/cache/redis-store.js';
import { TieredResultCache } from '../../../src/cache/tiered-result-cache.js';
import type { CacheHooks } from '../../../src/cache/types.js';
import type { RedisConnection } from '../../../src/redis/redis-connection.js';
import { computedOf, entryOf } from '../../support/cache-entries.js';
import { connectRedis, untilUp } from '../../support/redis-connection.js';
import { RedisServer } from '../../support/redis-server.js';
import { skipWithout } from '../../support/tool.js';
import { until } from '../../support/until.js';
import { patientWaiter } from '../../support/waiter.js';

const skip = await skipWithout('redis-server');
const server = skip === false ? await RedisServer.start() : undefined;
const admin = server === undefined ? undefined : new Redis(server.url);
after(async () => {
  admin?.disconnect();
  await server?.stop();
});

function shared(): { url: string; admin: Redis } {
  assert.ok(server !== undefined && admin !== undefined);
  return { url: server.url, admin };
}

function recorded(): { hooks: CacheHooks; lookups: string[]; writes: string[] } {
  const lookups: string[] = [];
  const writes: string[] = [];
  const hooks: CacheHooks = {
    onLookup: (tier, outcome) => lookups.push(`${tier} ${outcome}`),
    onWrite: (tier, outcome) => writes.push(`${tier} ${outcome}`),
  };
  return { hooks, lookups, writes };
}

const options: RedisStoreOptions = { keyPrefix: 'test:', ttlMs: 100_000 };

test('an entry lives as long as it should, give or take a tenth', { skip }, async (t) => {
  const { url, admin: client } = shared();
  const { redis } = connectRedis(t, { url });
  await untilUp(redis);
  for (const [random, expectedMs] of [
    [0, 90_000],
    [0.5, 100_000],
    [1 - Number.EPSILON, 110_000],
  ] as const) {
    const store = new RedisStore(redis, { ...options, random: () => random });
    store.set(`ttl${random}`, entryOf(1));
    await store.drain();
    const expiresInMs = await client.pttl(`test:ttl${random}`);
    assert.ok(expiresInMs <= expectedMs && expiresInMs > expectedMs - 5000, `${expiresInMs} ms`);
  }
});

test('what is under the key and is no entry is a miss, and is overwritten', { skip }, async (t) => {
  const { url, admin: client } = shared();
  const { redis } = connectRedis(t, { url });
  await untilUp(redis);
  const { hooks, lookups } = recorded();
  const cache = new TieredResultCache({ redis: new RedisStore(redis, options, hooks) });
  await client.set('test:garbage', 'not an entry');
  const answer = await cache.resolve('garbage', 'use', patientWaiter(), async () => computedOf(1));
  assert.equal(answer.outcome, 'miss');
  assert.deepEqual(lookups, ['redis miss']);
  await until('the entry is written', async () =>
    encodeEntry(entryOf(1)).equals((await client.getBuffer('test:garbage')) ?? Buffer.alloc(0)),
  );
});

test('a value of another type is an error event and a miss, and does not open the breaker', {
  skip,
}, async (t) => {
  const { url, admin: client } = shared();
  const { redis, events } = connectRedis(t, { url });
  await untilUp(redis);
  const { hooks, lookups } = recorded();
  const store = new RedisStore(redis, options, hooks);
  await client.lpush('test:list', 'x');
  for (let read = 0; read < 10; read += 1) assert.equal(await store.get('list'), undefined);
  assert.deepEqual(new Set(lookups), new Set(['redis error']));
  assert.deepEqual(events.breaker, []);
  assert.equal(events.errors.length, 1);
  assert.match(events.errors[0] ?? '', /^WRONGTYPE/);
});

test('reads that are asked for together travel together', { skip }, async (t) => {
  const { url, admin: client } = shared();
  const { redis } = connectRedis(t, { url });
  await untilUp(redis);
  const store = new RedisStore(redis, options);
  const readsProcessed = async (): Promise<number> =>
    Number(/total_reads_processed:(\d+)/.exec(await client.info('stats'))?.[1]);
  const before = await readsProcessed();
  await Promise.all(Array.from({ length: 100 }, async (_, index) => store.get(`none${index}`)));
  // One for the reads and one for the second INFO; a few more if the kernel splits them.
  assert.ok((await readsProcessed()) - before < 10);
});

test('a hundred identical callers make one read and one computation', { skip }, async (t) => {
  const { url } = shared();
  const { redis } = connectRedis(t, { url });
  await untilUp(redis);
  const { hooks, lookups } = recorded();
  const store = new RedisStore(redis, options, hooks);
  const cache = new TieredResultCache({ lru: new LruStore({ maxBytes: 100_000 }), redis: store });
  let runs = 0;
  const compute = async () => {
    runs += 1;
    return computedOf(1);
  };
  await Promise.all(
    Array.from({ length: 100 }, async () => cache.resolve('same', 'use', patientWaiter(), compute)),
  );
  assert.equal(runs, 1);
  assert.deepEqual(lookups, ['redis miss']);
  await store.drain();
  const replica = new TieredResultCache({ redis: new RedisStore(redis, options) });
  assert.equal((await replica.resolve('same', 'use', patientWaiter(), compute)).outcome, 'redis');
});

test('writes beyond the bounds of the queue are dropped, and what was taken is written', {
  skip,
}, async (t) => {
  const { url, admin: client } = shared();
  const { redis } = connectRedis(t, { url });
  await untilUp(redis);
  const many = recorded();
  const byCount = new RedisStore(
    redis,
    { ...options, keyPrefix: 'count:', maxPendingWrites: 300 },
    many.hooks,
  );
  for (let key = 0; key < 400; key += 1) byCount.set(`${key}`, entryOf(1));
  assert.equal(many.writes.filter((write) => write === 'redis dropped').length, 100);
  await byCount.drain();
  assert.equal((await client.keys('count:*')).length, 300);
  assert.equal(many.writes.filter((write) => write === 'redis ok').length, 300);

  const large = recorded();
  const byBytes = new RedisStore(
    redis,
    { ...options, keyPrefix: 'bytes:', maxPendingBytes: 40 },
    large.hooks,
  );
  for (let key = 0; key < 5; key += 1) byBytes.set(`${key}`, entryOf(1));
  await byBytes.drain();
  assert.equal((await client.keys('bytes:*')).length, 2);
  byBytes.set('later', entryOf(1));
  await byBytes.drain();
  assert.equal(large.writes.at(-1), 'redis ok');
});

test('without a connection reads and writes are skipped at once', async (t) => {
  const { redis } = connectRedis(t, { url: 'redis://127.0.0.1:1' });
  const { hooks, lookups, writes } = recorded();
  const store = new RedisStore(redis, options, hooks);
  assert.equal(store.get('k'), undefined);
  store.set('k', entryOf(1));
  assert.deepEqual(lookups, ['redis skipped']);
  assert.deepEqual(writes, ['redis dropped']);
  await store.drain();
});

/** Whether a result computed now is found in Redis by a replica without memory. */
async function reachesRedis(redis: RedisConnection, store: RedisStore): Promise<boolean> {
  const replica = new TieredResultCache({ redis: store });
  await replica.resolve('back', 'refresh', patientWaiter(), async () => computedOf(2));
  await store.drain();
  const found = await replica.resolve('back', 'use', patientWaiter(), async () => computedOf(3));
  return redis.up && found.outcome === 'redis';
}

for (const [way, stopAnswering, answerAgain] of [
  ['is killed', (own: RedisServer) => own.kill(), (own: RedisServer) => own.restart()],
  ['hangs', async (own: RedisServer) => own.pause(), async (own: RedisServer) => own.resume()],
] as const) {
  test(`a Redis that ${way} under load costs no caller an answer, and is used again when it is back`, {
    skip,
  }, async (t) => {
    const own = await RedisServer.start();
    t.after(() => own.stop());
    const { redis } = connectRedis(t, { url: own.url, commandTimeoutMs: 20, breakerMaxBackoffMs: 200 });
    await untilUp(redis);
    const { hooks, lookups } = recorded();
    const store = new RedisStore(redis, options, hooks);
    const cache = new TieredResultCache({ redis: store });

    let served = 0;
    const load = async (): Promise<void> => {
      const batch = Array.from({ length: 20 }, async (_, index) =>
        cache.resolve(`${way}${served}.${index}`, 'use', patientWaiter(), async () => computedOf(1)),
      );
      served += (await Promise.all(batch)).length;
    };
    await load();
    await stopAnswering(own);
    await until('reads are skipped', async () => {
      await load();
      return lookups.at(-1) === 'redis skipped';
    });
    await load();
    assert.equal(served % 20, 0);
    await answerAgain(own);
    await until('results are cached again', () => reachesRedis(redis, store));
  });
}
