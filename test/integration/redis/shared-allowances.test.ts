import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { Redis } from 'ioredis';
import { VerdictError } from '../../../src/errors.js';
import { RateLimiter } from '../../../src/ratelimit/rate-limiter.js';
import { SharedAllowances } from '../../../src/ratelimit/shared-allowances.js';
import type { RateLimits } from '../../../src/ratelimit/types.js';
import type { RedisConnection } from '../../../src/redis/redis-connection.js';
import { connectRedis, untilUp } from '../../support/redis-connection.js';
import { RedisServer } from '../../support/redis-server.js';
import { repositoryRoot } from '../../support/repository.js';
import { skipWithout } from '../../support/tool.js';
import { until } from '../../support/until.js';

const skip = await skipWithout('redis-server');
const none: RateLimits = { requestsPerMinute: 0, tokensPerMinute: 0, textsInFlight: 0 };

async function startServer(t: TestContext): Promise<RedisServer> {
  const server = await RedisServer.start();
  t.after(() => server.stop());
  return server;
}

/** What one server of several has: a connection of its own, and no knowledge of the others. */
async function replica(t: TestContext, { url }: Pick<RedisServer, 'url'>, limits: Partial<RateLimits>) {
  const { redis, events } = connectRedis(t, { url });
  await untilUp(redis);
  const shared = new SharedAllowances(redis, 'verdict:');
  return { redis, events, limiter: new RateLimiter({ defaults: { ...none, ...limits }, shared }) };
}

/** Undefined: they were let in. */
async function enter(
  limiter: RateLimiter,
  inputs: number,
  caller = '10.0.0.1',
): Promise<VerdictError | undefined> {
  try {
    await limiter.accountOf(caller)?.enter(inputs);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof VerdictError);
    return error;
  }
}

describe('limits that servers share', { skip }, () => {
  it('are one for all of them, and each caller has its own', async (t) => {
    const server = await startServer(t);
    const [one, two] = [
      await replica(t, server, { requestsPerMinute: 10 }),
      await replica(t, server, { requestsPerMinute: 10 }),
    ];
    assert.equal(await enter(one.limiter, 6), undefined);
    assert.equal(await enter(two.limiter, 4), undefined);
    const refused = await enter(one.limiter, 2);
    assert.equal(refused?.message, "over the caller's limit: at most 10 inputs a minute");
    const { retryAfterMs = 0 } = refused ?? {};
    assert.ok(retryAfterMs > 8_000 && retryAfterMs <= 12_000, String(retryAfterMs));
    assert.equal((await enter(two.limiter, 11))?.retryAfterMs, undefined, 'never');
    assert.equal(await enter(two.limiter, 10, '10.0.0.2'), undefined);
  });

  it('count no more than they have, whoever asks at the same time', async (t) => {
    const server = await startServer(t);
    const replicas = [
      await replica(t, server, { requestsPerMinute: 50 }),
      await replica(t, server, { requestsPerMinute: 50 }),
    ];
    const asked = replicas.flatMap(({ limiter }) => Array.from({ length: 60 }, () => enter(limiter, 1)));
    const admitted = (await Promise.all(asked)).filter((error) => error === undefined).length;
    // One comes back in 1.2 s.
    assert.ok(admitted >= 50 && admitted <= 52, String(admitted));
  });

  it('need of a user no permissions but those that docs/operations.md names', async (t) => {
    const page = readFileSync(join(repositoryRoot, 'docs/operations.md'), 'utf8');
    const always = /`ACL SETUSER verdict on >password (.+?)`/.exec(page)?.[1]?.split(' ') ?? [];
    const further = /`VERDICT_RATE_LIMITS_SHARED` it needs `(.+?)`/.exec(page)?.[1]?.split(' ') ?? [];
    const server = await startServer(t);
    const admin = new Redis(server.url);
    t.after(() => admin.disconnect());
    await admin.acl('SETUSER', 'verdict', 'on', '>password', ...always, ...further);
    const url = server.url.replace('://', '://verdict:password@');
    const limits = { requestsPerMinute: 10, tokensPerMinute: 600 };
    const { limiter, events } = await replica(t, { url }, limits);
    const account = limiter.accountOf('10.0.0.1');
    await account?.enter(10);
    account?.leave(700);
    await until(
      'its tokens are debited',
      async () => (await admin.exists('verdict:limits:{10.0.0.1}:tokens')) === 1,
    );
    assert.equal((await enter(limiter, 1))?.reason, 'RATE_LIMITED');
    assert.deepEqual(events.errors, []);
    // Each of them is needed.
    for (const permission of further) {
      await admin.acl('SETUSER', 'verdict', permission.replace('+', '-'));
      const { limiter: lacking, events: told } = await replica(t, { url }, limits);
      await enter(lacking, 1, '10.0.0.2');
      const refusal = /NOPERM|can't run this command/;
      await until('Redis has refused', () => told.errors.some((error) => refusal.test(error)));
      await admin.acl('SETUSER', 'verdict', permission);
    }
  });

  it('debit tokens on any of them', async (t) => {
    const server = await startServer(t);
    const [one, two] = [
      await replica(t, server, { tokensPerMinute: 600 }),
      await replica(t, server, { tokensPerMinute: 600 }),
    ];
    const account = one.limiter.accountOf('10.0.0.1');
    await account?.enter(1);
    account?.leave(900);
    await until('the other one knows', async () => {
      const refused = await enter(two.limiter, 1);
      return refused !== undefined && (refused.retryAfterMs ?? 0) > 20_000;
    });
  });

  it('leave nothing behind once a caller has been quiet', async (t) => {
    const server = await startServer(t);
    const { redis, limiter } = await replica(t, server, { requestsPerMinute: 600, tokensPerMinute: 60_000 });
    await enter(limiter, 1);
    assert.deepEqual(await keysOf(redis), ['verdict:limits:{10.0.0.1}:requests']);
    await until('it has expired', async () => (await keysOf(redis)).length === 0);
  });

  it('hold for each server by itself while Redis is away', async (t) => {
    const server = await startServer(t);
    const { redis, limiter } = await replica(t, server, { requestsPerMinute: 3, textsInFlight: 100 });
    assert.equal(await enter(limiter, 3), undefined);
    assert.equal((await enter(limiter, 1))?.reason, 'RATE_LIMITED');
    await server.kill();
    await until('its end is noticed', () => !redis.up);
    assert.equal(await enter(limiter, 3), undefined);
    assert.equal((await enter(limiter, 1))?.reason, 'RATE_LIMITED');
    await server.restart();
    await untilUp(redis);
    await until('it counts again', async () => (await enter(limiter, 3)) === undefined);
  });

  it('hold for each server by itself while Redis hangs, and nobody waits for longer than a command', async (t) => {
    const server = await startServer(t);
    const { limiter } = await replica(t, server, { requestsPerMinute: 3, textsInFlight: 4 });
    server.pause();
    t.after(() => server.resume());
    const asked = await Promise.all(Array.from({ length: 4 }, () => enter(limiter, 1)));
    assert.deepEqual(
      asked.map((error) => error?.reason),
      [undefined, undefined, undefined, 'RATE_LIMITED'],
    );
    // The one that was refused has left again.
    const account = limiter.accountOf('10.0.0.1');
    for (let input = 0; input < 3; input++) account?.leave(0);
    account?.limit({ ...none, textsInFlight: 4 });
    await account?.enter(4);
  });

  it("ask Redis nothing for a caller whose limit is each server's own", async (t) => {
    const server = await startServer(t);
    const { limiter } = await replica(t, server, { textsInFlight: 1 });
    server.pause();
    t.after(() => server.resume());
    assert.ok(!(limiter.accountOf('10.0.0.1')?.enter(1) instanceof Promise));
  });

  it('do not believe what another program has put under their keys', async (t) => {
    const server = await startServer(t);
    const { redis, limiter } = await replica(t, server, { requestsPerMinute: 3 });
    const key = 'verdict:limits:{10.0.0.1}:requests';
    for (const value of ['nonsense', 'nan', '-inf', '']) {
      await redis.set(key, Buffer.from(value), 60_000);
      assert.equal(await enter(limiter, 1), undefined, value);
    }
    await redis.evaluate("redis.call('DEL', KEYS[1]) redis.call('LPUSH', KEYS[1], 'a') return 1", [key], []);
    assert.equal(await enter(limiter, 1), undefined, 'a list');
    for (const value of ['9e99', 'inf']) {
      await redis.set(key, Buffer.from(value), 60_000);
      const { retryAfterMs = 0 } = (await enter(limiter, 1)) ?? {};
      assert.ok(retryAfterMs > 0 && retryAfterMs <= 3_600_000, `${value}: ${retryAfterMs}`);
    }
  });
});

async function keysOf(redis: RedisConnection): Promise<string[]> {
  return (await redis.evaluate("return redis.call('KEYS', '*')", [], [])) as string[];
}
