import type { Registry } from 'prom-client';
import type { BreakerState, RedisHooks } from '../redis/types.js';
import { CounterFamily, type CounterSeries } from './counter-family.js';
import { gauge } from './gauge.js';
import type { LineLimiter } from './line-limiter.js';
import type { Log } from './types.js';

const states: readonly BreakerState[] = ['closed', 'open', 'half_open'];

/** The state of the Redis connection, as metrics and log lines. */
export class RedisTelemetry implements RedisHooks {
  readonly #errors: CounterSeries;
  readonly #log: Log;
  readonly #limiter: LineLimiter;
  #up = false;
  #breaker: BreakerState = 'closed';

  constructor(options: { registry: Registry; log: Log; limiter: LineLimiter; configured: boolean }) {
    const { registry, log, limiter, configured } = options;
    this.#log = log;
    this.#limiter = limiter;
    gauge(registry, 'verdict_redis_configured', [], '1 if a Redis URL is configured, else 0.', () => [
      { value: Number(configured) },
    ]);
    gauge(
      registry,
      'verdict_redis_up',
      [],
      '1 while Redis is connected and accepts commands, else 0; also 0 while it refuses them, as a read-only replica does.',
      () => [{ value: Number(this.#up) }],
    );
    gauge(
      registry,
      'verdict_redis_breaker_state',
      ['state'],
      "1 for the breaker's current state, 0 for the others: closed (Redis is used), open (Redis is not used), half_open (one probe is under way).",
      () => states.map((state) => ({ labels: { state }, value: Number(state === this.#breaker) })),
    );
    this.#errors = new CounterFamily(registry, 'verdict_redis_errors_total', [], 'Redis errors.').series();
  }

  onConnection(up: boolean): void {
    if (up === this.#up) return;
    this.#up = up;
    if (up) this.#log.info({}, 'Redis is in use');
    else this.#log.warn({}, 'Redis is not in use; results are kept in memory only');
  }

  onBreaker(state: BreakerState): void {
    this.#breaker = state;
    const level = state === 'open' ? 'warn' : 'info';
    this.#log[level]({ state }, 'Redis breaker');
  }

  onError(message: string): void {
    this.#errors.add();
    const suppressed = this.#limiter.pass();
    if (suppressed !== undefined) this.#log.warn({ reason: message, suppressed }, 'Redis error');
  }
}
