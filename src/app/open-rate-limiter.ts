import type { Config } from '../config.js';
import { RateLimiter } from '../ratelimit/rate-limiter.js';
import { SharedAllowances } from '../ratelimit/shared-allowances.js';
import type { RateLimitHooks } from '../ratelimit/types.js';
import type { RedisConnection } from '../redis/redis-connection.js';

/** Undefined where no caller can have a limit: then calls do not ask for one. */
export function openRateLimiter(
  { auth, cache, rateLimits }: Pick<Config, 'auth' | 'cache' | 'rateLimits'>,
  redis: RedisConnection | undefined,
  hooks: RateLimitHooks,
): RateLimiter | undefined {
  const { shared, ...defaults } = rateLimits;
  const anyDefault = Object.values(defaults).some((limit) => limit > 0);
  const knowsCallers = auth.keysFile !== undefined || auth.jwtIssuer !== undefined;
  if (!anyDefault && !knowsCallers) return undefined;
  const isShared = shared === 'on' && redis !== undefined;
  return new RateLimiter({
    defaults,
    shared: isShared ? new SharedAllowances(redis, cache.keyPrefix) : undefined,
    hooks,
  });
}
