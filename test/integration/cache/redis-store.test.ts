import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Redis } from 'ioredis';
import { encodeEntry } from '../../../src/cache/entry-codec.js';
import { LruStore } from '../../../src/cache/lru-store.js';
import { RedisStore, type RedisStoreOptions } from '../../../src/cache/redis-store.js';
import { TieredResultCache } from '../../../src/cache/tiered-result-cache.js';
import type { CacheEntry, CacheHooks } from '../../../src/cache/types.js';
import type { RedisConnection } from '../../../src/redis/redis-connection.js';
import { computedOf, entryOf, shapeOf } from '../../support/cache-entries.js';
import { patientClaim } from '../../support/patient-claim.js';
import { connectRedis, untilUp } from '../../support/redis-connection.js';
import { RedisServer } from '../../support/redis-server.js';
import { skipWithout } from '../../support/tool.js';
import { until } from '../../support/until.js';

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

function recorded(): { hooks: CacheHooks; lookups: string[]; writes: string[]; faults: string[] } {
  const faults: string[] = [];
  const lookups: string[] = [];
  const writes: string[] = [];
  const hooks: CacheHooks = {
    onLookup: (tier, outcome) => lookups.push(`${tier} ${outcome}`),
    onWrite: (tier, outcome) => writes.push(`${tier} ${outcome}`),
    onInvalid: (origin, fault) => faults.push(`${origin} ${fault}`),
  };
  return { hooks, lookups, writes, faults };
}

const shape = shapeOf(1);
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

/** The binary form of an entry, with bytes put in place of its own. */
function altered(entry: CacheEntry, offset: number, ...bytes: number[]): Buffer {
  const value = encodeEntry(entry);
  value.set(bytes, offset);
  return value;
}

const header = 10;
for (const [what, fault, value] of [
  ['text', 'length', Buffer.from('not an entry')],
  ['an entry that was cut off', 'length', encodeEntry(entryOf(1, 2)).subarray(0, -1)],
  ['an entry and one byte more', 'length', Buffer.concat([encodeEntry(entryOf(1, 2)), Buffer.alloc(1)])],
  ['one logit where the model has two labels', 'length', encodeEntry(entryOf(3))],
  ['five logits where the model has two labels', 'length', encodeEntry(entryOf(9, 1, 2, 8, 7))],
  ['a million logits', 'length', encodeEntry({ ...entryOf(), logits: new Float32Array(1_000_000).fill(1) })],
  ['another version', 'version', altered(entryOf(1, 2), 0, 99)],
  ['an unknown flag', 'flags', altered(entryOf(1, 2), 1, 2)],
  ['a label count that lies', 'labels', altered(entryOf(1, 2), 6, 255, 255, 255, 255)],
  ['no tokens', 'tokens', altered(entryOf(1, 2), 2, 0)],
  ['one token more than the model takes', 'tokens', altered(entryOf(1, 2), 2, 1, 2)],
  ['4,294,967,295 tokens', 'tokens', altered(entryOf(1, 2), 2, 255, 255, 255, 255)],
  ['NaN', 'logits', encodeEntry(entryOf(1, Number.NaN))],
  ['infinity', 'logits', encodeEntry(entryOf(Number.POSITIVE_INFINITY, 1))],
  ['a NaN of another spelling', 'logits', altered(entryOf(1, 2), header, 1, 0, 0x80, 0xff)],
] as const) {
  test(`a value that is ${what} is not believed: a miss, counted, and overwritten`, { skip }, async (t) => {
    const { url, admin: client } = shared();
    const { redis } = connectRedis(t, { url });
    await untilUp(redis);
    const { hooks, lookups, faults } = recorded();
    const lru = new LruStore({ maxBytes: 100_000 });
    const store = new RedisStore(redis, options, hooks);
    const cache = new TieredResultCache({ lru, redis: store }, hooks);
    await client.set('test:lie', value);
    const answer = await cache.resolve('lie', shapeOf(2), 'use', patientClaim(), async () =>
      computedOf(4, 5),
    );
    assert.equal(answer.outcome, 'miss');
    assert.deepEqual(answer.entry, entryOf(4, 5));
    assert.deepEqual(lookups, ['redis invalid']);
    assert.deepEqual(faults, [`redis ${fault}`]);
    await store.drain();
    assert.deepEqual(await client.getBuffer('test:lie'), encodeEntry(entryOf(4, 5)));
    assert.deepEqual(await store.get('lie', shapeOf(2)), entryOf(4, 5));
  });
}

test('an empty value is a miss like none at all', { skip }, async (t) => {
  const { url, admin: client } = shared();
  const { redis } = connectRedis(t, { url });
  await untilUp(redis);
  const { hooks, lookups } = recorded();
  await client.set('test:empty', '');
  assert.equal(await new RedisStore(redis, options, hooks).get('empty', shape), undefined);
  assert.deepEqual(lookups, ['redis miss']);
});

test('the largest entry that the model can have given is a hit', { skip }, async (t) => {
  const { url, admin: client } = shared();
  const { redis } = connectRedis(t, { url });
  await untilUp(redis);
  const full: CacheEntry = { ...entryOf(3.4e38, -3.4e38), tokenCount: 512, truncated: true };
  await client.set('test:full', encodeEntry(full));
  const found = await new RedisStore(redis, options).get('full', shapeOf(2));
  assert.deepEqual(found, { ...full, logits: Float32Array.from(full.logits) });
});

test('of a value of 50 MB a few bytes travel', { skip }, async (t) => {
  const { url, admin: client } = shared();
  const { redis } = connectRedis(t, { url });
  await untilUp(redis);
  const { hooks, lookups } = recorded();
  const store = new RedisStore(redis, options, hooks);
  await client.setrange('test:huge', 50_000_000, 'x');
  const sent = async (): Promise<number> =>
    Number(/total_net_output_bytes:(\d+)/.exec(await client.info('stats'))?.[1]);
  const before = await sent();
  for (let read = 0; read < 5; read += 1) assert.equal(await store.get('huge', shape), undefined);
  assert.deepEqual(new Set(lookups), new Set(['redis invalid']));
  // The second INFO reports what was sent before it, the first one's reply included.
  assert.ok((await sent()) - before < 100_000);
  await client.del('test:huge');
});

test('a value of another type is not believed either, and does not open the breaker', {
  skip,
}, async (t) => {
  const { url, admin: client } = shared();
  const { redis, events } = connectRedis(t, { url });
  await untilUp(redis);
  const { hooks, lookups, faults } = recorded();
  const store = new RedisStore(redis, options, hooks);
  await client.lpush('test:list', 'x');
  for (let read = 0; read < 10; read += 1) assert.equal(await store.get('list', shape), undefined);
  assert.deepEqual(new Set(lookups), new Set(['redis invalid']));
  assert.deepEqual(new Set(faults), new Set(['redis type']));
  assert.deepEqual(events.breaker, []);
  assert.deepEqual(events.errors, []);
  store.set('list', entryOf(1));
  await store.drain();
  assert.deepEqual(await store.get('list', shape), entryOf(1));
});

test('reads that are asked for together travel together', { skip }, async (t) => {
  const { url, admin: client } = shared();
  const { redis } = connectRedis(t, { url });
  await untilUp(redis);
  const store = new RedisStore(redis, options);
  const readsProcessed = async (): Promise<number> =>
    Number(/total_reads_processed:(\d+)/.exec(await client.info('stats'))?.[1]);
  const before = await readsProcessed();
  await Promise.all(Array.from({ length: 100 }, async (_, index) => store.get(`none${index}`, shape)));
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
    Array.from({ length: 100 }, async () => cache.resolve('same', shape, 'use', patientClaim(), compute)),
  );
  assert.equal(runs, 1);
  assert.deepEqual(lookups, ['redis miss']);
  await store.drain();
  const replica = new TieredResultCache({ redis: new RedisStore(redis, options) });
  assert.equal((await replica.resolve('same', shape, 'use', patientClaim(), compute)).outcome, 'redis');
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
  assert.equal(store.get('k', shape), undefined);
  store.set('k', entryOf(1));
  assert.deepEqual(lookups, ['redis skipped']);
  assert.deepEqual(writes, ['redis dropped']);
  await store.drain();
});

/** Whether a result computed now is found in Redis by a replica without memory. */
async function reachesRedis(redis: RedisConnection, store: RedisStore): Promise<boolean> {
  const replica = new TieredResultCache({ redis: store });
  await replica.resolve('back', shape, 'refresh', patientClaim(), async () => computedOf(2));
  await store.drain();
  const found = await replica.resolve('back', shape, 'use', patientClaim(), async () => computedOf(3));
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
        cache.resolve(`${way}${served}.${index}`, shape, 'use', patientClaim(), async () => computedOf(1)),
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

test('what is forgotten is not in Redis, nor written to it any more', { skip }, async (t) => {
  const { url, admin: client } = shared();
  const { redis } = connectRedis(t, { url });
  await untilUp(redis);
  const { hooks, writes } = recorded();
  const store = new RedisStore(redis, { ...options, keyPrefix: 'forget:' }, hooks);
  for (const key of ['a', 'b', 'kept']) store.set(key, entryOf(1));
  await store.drain();
  // One write is under way and one waits when it is told to forget both.
  store.set('under way', entryOf(2));
  await new Promise((resolve) => setImmediate(resolve));
  store.set('waits', entryOf(3));
  assert.equal(await store.forget(['a', 'b', 'under way', 'waits', 'never there']), 3);
  await store.drain();
  assert.deepEqual(await client.keys('forget:*'), ['forget:kept']);
  assert.deepEqual(writes, ['redis ok', 'redis ok', 'redis ok', 'redis dropped', 'redis ok']);
  store.set('a', entryOf(4));
  await store.drain();
  assert.deepEqual((await client.keys('forget:*')).sort(), ['forget:a', 'forget:kept']);
});

test('more writes wait than may be under way, and those to forget are dropped among them', {
  skip,
}, async (t) => {
  const { url, admin: client } = shared();
  const { redis } = connectRedis(t, { url });
  await untilUp(redis);
  const store = new RedisStore(redis, { ...options, keyPrefix: 'many:' });
  const keys = Array.from({ length: 1_000 }, (_, number) => `k${number}`);
  for (const key of keys) store.set(key, entryOf(1));
  const drained = store.drain();
  assert.ok(typeof (await store.forget(keys)) === 'number');
  await drained;
  assert.deepEqual(await client.keys('many:*'), []);
});

test('a Redis that is away, or does not let its user remove, confirms nothing', { skip }, async (t) => {
  const own = await RedisServer.start();
  t.after(() => own.stop());
  const operator = new Redis(own.url);
  t.after(() => operator.disconnect());
  await operator.acl('SETUSER', 'reader', 'on', '>password', '~*', '+getrange', '+set', '+info');
  const { redis } = connectRedis(t, { url: own.url.replace('://', '://reader:password@') });
  await untilUp(redis);
  const store = new RedisStore(redis, { ...options, keyPrefix: '' });
  store.set('a', entryOf(1));
  await store.drain();
  assert.equal(await store.forget(['a']), undefined);
  // It still serves all the rest.
  assert.deepEqual(await store.get('a', shape), entryOf(1));

  await operator.acl('SETUSER', 'reader', '+del');
  await own.kill();
  await until('the connection is lost', () => !redis.up);
  assert.equal(await store.forget(['a']), undefined);
});
