import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Redis } from 'ioredis';
import type { VerdictClient } from '../../clients/typescript/src/index.js';
import { RedisServer } from '../support/redis-server.js';
import { ServedModels } from '../support/served-models.js';
import { skipWithout } from '../support/tool.js';
import { until } from '../support/until.js';

const skip = await skipWithout('redis-server');

/** Patient, and without memory of its own, so that each call asks Redis. */
const settings = {
  VERDICT_CACHE_MAX_BYTES: '0',
  VERDICT_REDIS_COMMAND_TIMEOUT_MS: '5000',
  VERDICT_REDIS_CONNECT_TIMEOUT_MS: '5000',
};

interface Setting {
  readonly redis: Redis;
  readonly url: string;
}

async function redisServer(t: TestContext): Promise<Setting> {
  const server = await RedisServer.start();
  const redis = new Redis(server.url);
  t.after(async () => {
    redis.disconnect();
    await server.stop();
  });
  return { redis, url: server.url };
}

async function serve(t: TestContext, url: string, more: Readonly<Record<string, string>> = {}) {
  const served = await ServedModels.start(t, ['topics'], { ...settings, ...more, REDIS_URL: url });
  await until('Redis is used', async () => (await served.server.metric('verdict_redis_up')) === 1);
  return { served, client: served.client() };
}

/** Has a text answered and stored; what was answered, and the one key that is new in Redis. */
async function stored(client: VerdictClient, redis: Redis, text: string) {
  const before = new Set(await redis.keys('*'));
  const answer = await client.classify(text, { topK: 0 });
  let added: string[] = [];
  await until('the answer is stored', async () => {
    added = (await redis.keys('*')).filter((key) => !before.has(key));
    return added.length === 1;
  });
  return { answer, key: added[0] ?? '' };
}

/** The binary form of an entry, written out here: whoever forges one does not ask our code. */
function forged(logits: readonly number[], { tokens = 4, labels = logits.length, flags = 0 } = {}): Buffer {
  const value = Buffer.alloc(10 + 4 * logits.length);
  value[0] = 1;
  value[1] = flags;
  value.writeUInt32LE(tokens, 2);
  value.writeUInt32LE(labels, 6);
  for (const [index, logit] of logits.entries()) value.writeFloatLE(logit, 10 + 4 * index);
  return value;
}

describe('Entries in Redis', { skip }, () => {
  it('that the model cannot have given are never served, and are overwritten', async (t) => {
    const { redis, url } = await redisServer(t);
    const { served, client } = await serve(t, url);
    const { answer, key } = await stored(client, redis, 'the coach');
    const right = (await redis.getBuffer(key))?.toString('hex');
    const labels = answer.predictions.length;
    const logits = Array<number>(labels).fill(1);
    const lies: readonly (Buffer | 'list' | 'huge')[] = [
      Buffer.from('not a value at all'),
      forged([3]),
      forged([...logits, 8, 7]),
      forged(Array<number>(1_000_000).fill(1)),
      forged(logits.with(0, Number.NaN)),
      forged(logits.with(0, Number.POSITIVE_INFINITY)),
      forged(logits, { tokens: 2 ** 32 - 1 }),
      forged(logits, { tokens: 0 }),
      forged(logits, { flags: 2 }),
      forged(logits, { labels: 2 ** 32 - 1 }),
      'list',
      'huge',
    ];
    for (const [index, lie] of lies.entries()) {
      await redis.del(key);
      if (lie === 'list') await redis.lpush(key, 'x');
      else if (lie === 'huge') await redis.setrange(key, 50_000_000, 'x');
      else await redis.set(key, lie);
      const again = await client.classify('the coach', { topK: 0 });
      assert.equal(again.cache, 'miss', `lie ${index}`);
      assert.deepEqual(again.predictions, answer.predictions, `lie ${index}`);
      assert.equal(again.tokenCount, answer.tokenCount);
      await until('the entry is put right', async () => {
        if ((await redis.type(key)) !== 'string') return false;
        return (await redis.getrangeBuffer(key, 0, 1000)).toString('hex') === right;
      });
    }
    assert.equal((await client.classify('the coach')).cache, 'redis');
    const invalid = await served.server.metric('verdict_cache_invalid_entries_total', { origin: 'redis' });
    assert.equal(invalid, lies.length);
    await until('the log has it', () => served.logged('invalid cache entry').length >= 1);
    assert.ok(!JSON.stringify(served.server.log).includes(key));
  });

  it('that are sealed cannot be guessed, forged, altered, copied to another key, or read without the secret', async (t) => {
    const { redis, url } = await redisServer(t);
    const secret = 'kept_from_whoever_can_write_to_redis';
    const [sealed, same, stranger, plain] = await Promise.all([
      serve(t, url, { VERDICT_CACHE_SECRET: secret }),
      serve(t, url, { VERDICT_CACHE_SECRET: secret }),
      serve(t, url, { VERDICT_CACHE_SECRET: secret.toUpperCase() }),
      serve(t, url),
    ]);
    const all = [sealed, same, stranger, plain];
    const coach = await stored(sealed.client, redis, 'the coach');
    assert.equal((await same.client.classify('the coach')).cache, 'redis', 'replicas with one secret share');
    const strangers = await stored(stranger.client, redis, 'the coach');
    const plains = await stored(plain.client, redis, 'the coach');
    assert.equal(strangers.answer.cache, 'miss');
    assert.equal(plains.answer.cache, 'miss');
    const names = [coach, strangers, plains].map(({ key }) => key);
    assert.equal(new Set(names).size, 3);

    const soup = await stored(sealed.client, redis, 'the soup');
    const value = (await redis.getBuffer(coach.key)) ?? Buffer.alloc(0);
    const flipped = Buffer.from(value);
    flipped.writeUInt8(flipped.readUInt8(13) ^ 0x80, 13);
    const labels = coach.answer.predictions.length;
    const plainForgery = forged([9, ...Array<number>(labels - 1).fill(-9)]);
    const lies = [
      flipped,
      plainForgery,
      Buffer.concat([plainForgery, Buffer.alloc(16)]),
      Buffer.concat([plainForgery, value.subarray(-16)]),
      (await redis.getBuffer(soup.key)) ?? '',
      (await redis.getBuffer(strangers.key)) ?? '',
      (await redis.getBuffer(plains.key)) ?? '',
    ];
    for (const [index, lie] of lies.entries()) {
      await redis.set(coach.key, lie);
      const again = await sealed.client.classify('the coach', { topK: 0 });
      assert.equal(again.cache, 'miss', `lie ${index}`);
      assert.deepEqual(again.predictions, coach.answer.predictions);
      await until('the entry is put right', async () =>
        value.equals((await redis.getBuffer(coach.key)) ?? flipped),
      );
    }
    const faults = { origin: 'redis' };
    assert.equal(
      await sealed.served.server.metric('verdict_cache_invalid_entries_total', faults),
      lies.length,
    );
    for (const { served } of all) {
      assert.doesNotMatch(JSON.stringify(served.server.log), /kept_from/i);
      assert.doesNotMatch(await (await fetch(`${served.server.adminUrl}/metrics`)).text(), /kept_from/i);
      assert.deepEqual(served.server.complaints, []);
    }
    for (const name of await redis.keys('*')) assert.doesNotMatch(name, /kept_from/i);
  });
});
