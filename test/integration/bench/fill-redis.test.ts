import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fillRedis } from '../../../bench/reference/fill-redis.js';
import { RedisProcess } from '../../../bench/reference/redis-process.js';
import { requireTool } from '../../support/tool.js';

const keyOf = (text: string) => `answers:${text}`;

describe('filling a cache with copies of an answer', () => {
  it('gives every text without an answer that of the one that was answered', async (t) => {
    if ((await requireTool(t, 'redis-server')) === undefined) return;
    const redis = await RedisProcess.start(new AbortController().signal);
    try {
      await redis.fill([keyOf('a')], Buffer.from([1, 0, 255]), 60_000);
      await redis.fill([keyOf('b')], Buffer.from('its own'), 60_000);
      await fillRedis(redis, ['a', 'b', 'c'], { keyOf, answered: ['lost', 'a'] });
      assert.deepEqual(await redis.read(keyOf('c')), Buffer.from([1, 0, 255]));
      assert.deepEqual(await redis.read(keyOf('b')), Buffer.from('its own'));
      assert.equal(await redis.read(keyOf('d')), undefined);
      await assert.rejects(fillRedis(redis, ['d'], { keyOf, answered: ['d'] }), /is in Redis under the key/);
    } finally {
      await redis.stop();
    }
  });
});
