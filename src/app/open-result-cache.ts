import { readFile } from 'node:fs/promises';
import { plainFormat } from '../cache/entry-format.js';
import { LruStore } from '../cache/lru-store.js';
import { RedisStore } from '../cache/redis-store.js';
import { SealedFormat } from '../cache/sealed-format.js';
import { TieredResultCache } from '../cache/tiered-result-cache.js';
import type { Config } from '../config.js';
import type { RedisConnection } from '../redis/redis-connection.js';
import type { RedisHooks } from '../redis/types.js';
import type { Telemetry } from '../telemetry/types.js';

/** The cache with the tiers that are configured. */
export interface OpenResultCache {
  readonly cache: TieredResultCache;
  /** Seconds after which Redis holds nothing of what it holds now; 0 without Redis. */
  readonly expireSeconds: number;
  /** Undefined where none is configured. */
  readonly redis: RedisConnection | undefined;
  /** Begins to connect to Redis where it is configured. */
  start(): void;
  /** Lets writes under way end, and closes the connection. */
  stop(): Promise<void>;
}

/** @throws the file system's error where the certificate authority of Redis cannot be read */
export async function openResultCache(
  config: Pick<Config, 'cache' | 'redis'>,
  telemetry: Telemetry,
): Promise<OpenResultCache> {
  const { maxBytes, keyPrefix, ttlSeconds, secret } = config.cache;
  const format = secret === undefined ? plainFormat : new SealedFormat(secret);
  const redis = await openRedis(config.redis, telemetry.redis);
  const store =
    redis && new RedisStore(redis, { keyPrefix, format, ttlMs: ttlSeconds * 1000 }, telemetry.cache);
  const lru = maxBytes > 0 ? new LruStore({ maxBytes }, telemetry.cache) : undefined;
  return {
    cache: new TieredResultCache({ lru, redis: store }, telemetry.cache),
    expireSeconds: store?.longestLifeSeconds ?? 0,
    redis,
    start: () => redis?.start(),
    stop: async () => {
      await store?.drain();
      await redis?.close();
    },
  };
}

async function openRedis(redis: Config['redis'], hooks: RedisHooks): Promise<RedisConnection | undefined> {
  const { url, caFile, ...options } = redis;
  if (url === undefined) return undefined;
  // Loaded here alone: its client costs a tenth of a second and some megabytes of every start.
  const { RedisConnection } = await import('../redis/redis-connection.js');
  const ca = caFile === undefined ? undefined : await readFile(caFile, 'utf8');
  return new RedisConnection({ ...options, url, ca }, hooks);
}
