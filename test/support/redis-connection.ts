import type { TestContext } from 'node:test';
import { RedisConnection, type RedisConnectionOptions } from '../../src/redis/redis-connection.js';
import { until } from './until.js';

/** What a connection has said through its hooks. */
export interface RedisEvents {
  readonly connections: boolean[];
  readonly breaker: string[];
  readonly errors: string[];
}

/** A started connection that the end of the test closes. Its limits suit a busy machine. */
export function connectRedis(
  t: TestContext,
  options: Partial<RedisConnectionOptions> & { readonly url: string },
): { redis: RedisConnection; events: RedisEvents } {
  const events: RedisEvents = { connections: [], breaker: [], errors: [] };
  const redis = new RedisConnection(
    { mode: 'single', commandTimeoutMs: 500, connectTimeoutMs: 2000, ...options },
    {
      onConnection: (up) => events.connections.push(up),
      onBreaker: (state) => events.breaker.push(state),
      onError: (message) => events.errors.push(message),
    },
  );
  redis.start();
  t.after(() => redis.close());
  return { redis, events };
}

/** Waits until commands can be sent. */
export function untilUp(redis: RedisConnection): Promise<void> {
  return until('Redis is connected', () => redis.up);
}
