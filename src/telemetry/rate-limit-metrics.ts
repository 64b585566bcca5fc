import type { Registry } from 'prom-client';
import type { RateLimit, RateLimitHooks } from '../ratelimit/types.js';
import { CounterFamily } from './counter-family.js';

const names = {
  requestsPerMinute: 'requests',
  tokensPerMinute: 'tokens',
  textsInFlight: 'in_flight',
} as const satisfies Record<RateLimit, string>;

/** Counts the inputs that the limits of their callers have refused. */
export function rateLimitMetrics(registry: Registry): RateLimitHooks {
  const refused = new CounterFamily(
    registry,
    'verdict_rate_limit_refusals_total',
    ['limit'],
    'Inputs refused by a limit of their caller: requests or tokens a minute, or texts in flight.',
  ).byValue('limit', Object.values(names));
  return { onRefused: (limit, inputs) => refused[names[limit]].add(inputs) };
}
