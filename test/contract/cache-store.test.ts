import { after } from 'node:test';
import { plainFormat } from '../../src/cache/entry-format.js';
import { LruStore } from '../../src/cache/lru-store.js';
import { RedisStore } from '../../src/cache/redis-store.js';
import { SealedFormat } from '../../src/cache/sealed-format.js';
import { RedisConnection } from '../../src/redis/redis-connection.js';
import { RedisServer } from '../support/redis-server.js';
import { skipWithout } from '../support/tool.js';
import { until } from '../support/until.js';
import { cacheStoreContract } from './cache-store.js';

const skip = await skipWithout('redis-server');
const server = skip === false ? await RedisServer.start() : undefined;
const connections: RedisConnection[] = [];
after(async () => {
  for (const connection of connections) await connection.close();
  await server?.stop();
});

cacheStoreContract('LruStore', async (hooks) => ({
  store: new LruStore({ maxBytes: 1_000_000 }, hooks),
  settled: async () => {},
}));

for (const [name, format] of [
  ['RedisStore', plainFormat],
  ['RedisStore with a secret', new SealedFormat('correct horse battery staple 1234')],
] as const)
  cacheStoreContract(
    name,
    async (hooks) => {
      const redis = new RedisConnection({
        url: server?.url ?? '',
        mode: 'single',
        commandTimeoutMs: 2000,
        connectTimeoutMs: 2000,
      });
      connections.push(redis);
      redis.start();
      await until('Redis is connected', () => redis.up);
      const store = new RedisStore(
        redis,
        { format, keyPrefix: `test${connections.length}:`, ttlMs: 60_000 },
        hooks,
      );
      return { store, settled: () => store.drain() };
    },
    skip,
  );
