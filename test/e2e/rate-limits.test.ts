import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { VerdictClient } from '../../clients/typescript/src/index.js';
import { TestKeyFile } from '../support/key-files.js';
import { RedisServer } from '../support/redis-server.js';
import { streamRequest } from '../support/requests.js';
import { clientOf, startService } from '../support/started-service.js';
import { StreamCall, short } from '../support/stream-call.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { skipWithout } from '../support/tool.js';
import { until } from '../support/until.js';

const PATIENCE = { timeout: 120_000 };
const withoutRedis = await skipWithout('redis-server');

const refused = { code: 'RESOURCE_EXHAUSTED', reason: 'RATE_LIMITED' };

/** How many of so many calls, one after the other, are answered. */
async function answered(client: VerdictClient, calls: number): Promise<number> {
  let count = 0;
  for (let call = 0; call < calls; call++) {
    try {
      await client.classify('the coach');
      count++;
    } catch (error) {
      assert.equal((error as { reason?: string }).reason, refused.reason);
    }
  }
  return count;
}

describe('limits of callers', PATIENCE, () => {
  it('hold for an address, however many connections it opens', async (t) => {
    const service = await startService(t, { VERDICT_REQUESTS_PER_MINUTE: '20' });
    const clients = Array.from({ length: 10 }, () => clientOf(t, service));
    const counts = await Promise.all(clients.map((client) => answered(client, 5)));
    const total = counts.reduce((sum, count) => sum + count, 0);
    // One comes back in 3 s.
    assert.ok(total >= 20 && total <= 24, String(total));
    const counted = await service.server.metric('verdict_rate_limit_refusals_total', { limit: 'requests' });
    assert.equal(counted, 50 - total);
  });

  it('are those of a key, and change with the key file under a stream', async (t) => {
    const file = new TestKeyFile(temporaryFolder(t));
    const small = file.add('small', { limits: { requestsPerMinute: 2 } });
    const free = file.add('free', { limits: { requestsPerMinute: 0 } });
    const plain = file.add('plain');
    file.write();
    const settings = { VERDICT_API_KEYS_FILE: file.path, VERDICT_REQUESTS_PER_MINUTE: '4' };
    const service = await startService(t, settings);
    assert.equal(await answered(clientOf(t, service, small), 6), 2);
    assert.equal(await answered(clientOf(t, service, plain), 6), 4);
    assert.equal(await answered(clientOf(t, service, free), 30), 30);

    const stream = new StreamCall(service.classifier, { 'x-api-key': small });
    const ask = async () => short(await stream.send(streamRequest('the coach')).next());
    assert.equal(await ask(), '0:!RATE_LIMITED');
    file.set('small', small, { limits: { requestsPerMinute: 600 } });
    file.write();
    await until('the new limit holds', async () => !(await ask()).endsWith('!RATE_LIMITED'));
    stream.end();
  });

  it('can be shared by servers through Redis', { skip: withoutRedis }, async (t) => {
    const redis = await RedisServer.start();
    t.after(() => redis.stop());
    const settings = {
      VERDICT_REDIS_URL: redis.url,
      // A call after which Redis counts as away is answered by the server's own count.
      VERDICT_REDIS_COMMAND_TIMEOUT_MS: '5000',
      // One comes back in 12 s.
      VERDICT_REQUESTS_PER_MINUTE: '5',
      VERDICT_RATE_LIMITS_SHARED: 'on',
    };
    const [one, two] = [await startService(t, settings), await startService(t, settings)];
    for (const { server } of [one, two])
      await until('Redis is there', async () => (await server.metric('verdict_redis_up')) === 1);
    assert.equal(await answered(clientOf(t, one), 3), 3);
    assert.equal(await answered(clientOf(t, two), 6), 2);
    await redis.kill();
    // Each counts for itself now, and nobody waits for Redis.
    await until('calls are answered again', async () => (await answered(clientOf(t, two), 1)) === 1);
  });
});
