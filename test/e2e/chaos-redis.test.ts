import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Redis } from 'ioredis';
import type { VerdictClient } from '../../clients/typescript/src/index.js';
import { collect } from '../support/collect.js';
import { freePort } from '../support/free-port.js';
import { RedisServer } from '../support/redis-server.js';
import { ServedModels } from '../support/served-models.js';
import { StreamRecording } from '../support/stream-recording.js';
import { skipWithout } from '../support/tool.js';
import { until } from '../support/until.js';

const skip = await skipWithout('redis-server');

const lossLine = 'Redis is not in use; results are kept in memory only';
const unavailable = 14;

/** Patient, since what is tested here is not how slow a Redis may be. */
const patient = { VERDICT_REDIS_COMMAND_TIMEOUT_MS: '5000', VERDICT_REDIS_CONNECT_TIMEOUT_MS: '5000' };

async function redisServer(t: TestContext): Promise<RedisServer> {
  const redis = await RedisServer.start();
  t.after(() => redis.stop());
  return redis;
}

/** Waits until the server says that Redis is connected, or is not. */
async function untilRedisIs(served: ServedModels, up: boolean): Promise<void> {
  await until(`Redis is ${up ? 'up' : 'down'}`, async () => {
    return (await served.server.metric('verdict_redis_up')) === Number(up);
  });
}

async function untilWritten(served: ServedModels, count: number): Promise<void> {
  const labels = { tier: 'redis', outcome: 'ok' };
  await until('the results are in Redis', async () => {
    return (await served.server.metric('verdict_cache_writes_total', labels)) >= count;
  });
}

/** Sends each text over one stream; where the answers came from. */
async function outcomes(client: VerdictClient, texts: readonly string[]): Promise<string[]> {
  const results = await collect(client.classifyStream(texts));
  return results.map((result) => (result.ok ? result.classification.cache : result.error.code));
}

let made = 0;
const freshTexts = (count: number): string[] => Array.from({ length: count }, () => `text ${made++}`);

describe('Redis', { skip }, () => {
  it('that is shared lets a replica answer what another one computed; another key prefix does not', async (t) => {
    const redis = await redisServer(t);
    const settings = { REDIS_URL: redis.url, ...patient };
    const [first, second, stranger] = await Promise.all([
      ServedModels.start(t, ['topics'], settings),
      ServedModels.start(t, ['topics'], settings),
      ServedModels.start(t, ['topics'], { ...settings, VERDICT_CACHE_KEY_PREFIX: 'other:' }),
    ]);
    const all = [first, second, stranger];
    await Promise.all(all.map((served) => untilRedisIs(served, true)));
    const [one, two, other] = all.map((served) => served.client()) as [
      VerdictClient,
      VerdictClient,
      VerdictClient,
    ];
    const computed = await one.classify('the coach', { topK: 0 });
    assert.equal(computed.cache, 'miss');
    await untilWritten(first, 1);

    const shared = await two.classify('the coach', { topK: 0 });
    assert.equal(shared.cache, 'redis');
    assert.deepEqual(shared.predictions, computed.predictions);
    assert.equal((await two.classify('the coach')).cache, 'lru');
    assert.equal((await other.classify('the coach')).cache, 'miss');

    // A batch computes only what nobody has computed.
    const batch = await two.classifyBatch(['the coach', 'the soup', 'the coach']);
    const caches = batch.map((result) => (result.ok ? result.classification.cache : result.error.code));
    assert.deepEqual(caches, ['lru', 'miss', 'lru']);
    assert.equal(await second.server.metric('verdict_batch_items_sum'), 1);
    await untilWritten(second, 1);
    const again = await one.classifyBatch(['the soup', 'the vote']);
    assert.deepEqual(
      again.map((result) => result.ok && result.classification.cache),
      ['redis', 'miss'],
    );
  });

  it('that is down at the start costs nothing, and is used once it is there', async (t) => {
    const redis = await redisServer(t);
    await redis.kill();
    const served = await ServedModels.start(t, ['topics'], { REDIS_URL: redis.url, ...patient });
    const client = served.client();
    assert.deepEqual(await outcomes(client, ['the coach', 'the soup']), ['miss', 'miss']);
    assert.deepEqual(await outcomes(client, ['the coach', 'the soup']), ['lru', 'lru']);
    assert.equal(await client.health(), 'serving');
    assert.equal(await served.server.metric('verdict_redis_up'), 0);
    assert.equal(
      await served.server.metric('verdict_cache_requests_total', { tier: 'redis', outcome: 'skipped' }),
      2,
    );
    await redis.restart();
    await untilRedisIs(served, true);
    assert.deepEqual(await outcomes(client, ['the law']), ['miss']);
    await untilWritten(served, 1);
  });

  it('that dies and comes back, over and over under load, fails no request', async (t) => {
    const redis = await redisServer(t);
    const served = await ServedModels.start(t, ['topics'], { REDIS_URL: redis.url });
    const client = served.client();
    await untilRedisIs(served, true);
    let sent = 0;
    let stopped = false;
    const source = function* () {
      while (!stopped) yield `text ${sent++}`;
    };
    const answered = { ok: 0, failed: 0 };
    const load = (async () => {
      for await (const { ok } of client.classifyStream(source())) answered[ok ? 'ok' : 'failed']++;
    })();
    for (let round = 0; round < 3; round++) {
      const before = answered.ok;
      await until('the load flows', () => answered.ok > before + 100);
      await redis.kill();
      await untilRedisIs(served, false);
      const without = answered.ok;
      await until('the load flows without Redis', () => answered.ok > without + 100);
      await redis.restart();
      await untilRedisIs(served, true);
    }
    stopped = true;
    await load;
    assert.deepEqual(answered, { ok: sent, failed: 0 });
    assert.ok((await served.server.metric('verdict_redis_errors_total')) > 0);
    await until('each loss is in the log', () => served.logged(lossLine).length >= 3);
  });

  it('that hangs costs a time-out, opens the breaker, and is used again once it answers', async (t) => {
    const redis = await redisServer(t);
    const settings = { REDIS_URL: redis.url, VERDICT_REDIS_COMMAND_TIMEOUT_MS: '100' };
    const served = await ServedModels.start(t, ['topics'], settings);
    const client = served.client();
    await untilRedisIs(served, true);
    const breaker = (state: string) => served.server.metric('verdict_redis_breaker_state', { state });
    assert.equal(await breaker('closed'), 1);

    redis.pause();
    await until('the breaker is open', async () => {
      assert.deepEqual(await outcomes(client, freshTexts(2)), ['miss', 'miss']);
      return (await breaker('open')) === 1;
    });
    const reads = (outcome: string) =>
      served.server.metric('verdict_cache_requests_total', { tier: 'redis', outcome });
    assert.ok((await reads('timeout')) > 0);
    const timeouts = await reads('timeout');
    await until('reads are skipped', async () => {
      assert.deepEqual(await outcomes(client, freshTexts(20)), Array(20).fill('miss'));
      return (await reads('skipped')) > 0;
    });
    // A probe now and then is all that it costs.
    assert.ok((await reads('timeout')) - timeouts < 20);
    assert.equal(await client.health(), 'serving');

    redis.resume();
    await until('the breaker is closed', async () => {
      assert.deepEqual(await outcomes(client, freshTexts(1)), ['miss']);
      return (await breaker('closed')) === 1;
    });
    const states = served.logged('Redis breaker').map(({ state }) => state);
    assert.equal(states[0], 'open');
    await until('the log has it', () => served.logged('Redis breaker').at(-1)?.state === 'closed');
  });

  it('that was demoted is out of use, says so, and is used again once it is a master', async (t) => {
    const redis = await redisServer(t);
    const admin = new Redis(redis.url);
    t.after(() => admin.disconnect());
    const served = await ServedModels.start(t, ['topics'], { REDIS_URL: redis.url, ...patient });
    const client = served.client();
    await untilRedisIs(served, true);
    await admin.replicaof('127.0.0.1', await freePort());
    assert.deepEqual(await outcomes(client, freshTexts(40)), Array(40).fill('miss'));
    await untilRedisIs(served, false);
    const written = (outcome: string) =>
      served.server.metric('verdict_cache_writes_total', { tier: 'redis', outcome });
    await until('writes are given up', async () => {
      assert.deepEqual(await outcomes(client, freshTexts(5)), Array(5).fill('miss'));
      return (await written('dropped')) > (await written('error'));
    });
    assert.equal(await served.server.metric('verdict_redis_up'), 0);
    await until('the log says why', () =>
      served.logged('Redis error').some(({ reason }) => String(reason).startsWith('READONLY')),
    );
    await admin.replicaof('NO', 'ONE');
    await until('it is used again', async () => {
      await outcomes(client, freshTexts(1));
      return (await served.server.metric('verdict_redis_up')) === 1;
    });
    assert.equal(served.logged(lossLine).length, 1, 'it did not come back in between');
  });

  it('that hangs does not keep a drain from answering what is held', async (t) => {
    const redis = await redisServer(t);
    const settings = { REDIS_URL: redis.url, VERDICT_REDIS_COMMAND_TIMEOUT_MS: '500' };
    const served = await ServedModels.start(t, ['topics'], settings);
    await untilRedisIs(served, true);
    redis.pause();
    const stream = new StreamRecording(served.server.address).send(...freshTexts(5));
    await until('the stream is read', async () => {
      const labels = { tier: 'lru', outcome: 'miss' };
      return (await served.server.metric('verdict_cache_requests_total', labels)) === 5;
    });
    served.server.kill('SIGTERM');
    assert.equal((await stream.status).code, unavailable);
    assert.deepEqual(
      stream.responses.map(({ outcome }) => outcome?.$case),
      Array(5).fill('classification'),
    );
    assert.deepEqual(await served.server.exit, { code: 0, signal: null });
  });
});
