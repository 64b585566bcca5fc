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
    gauge(registry, 'verdict_redis_configured', [], 'Whether a Redis URL was given.', () => [
      { value: Number(configured) },
    ]);
    gauge(
      registry,
      'verdict_redis_up',
      [],
      'Whether Redis is connected and serves: 0 too while it refuses, as a replica does writes.',
      () => [{ value: Number(this.#up) }],
    );
    gauge(
      registry,
      'verdict_redis_breaker_state',
      ['state'],
      '1 for the state that the breaker is in, else 0: closed (Redis is asked), open (it is not), half_open (one probe is under way).',
      () => states.map((state) => ({ labels: { state }, value: Number(state === this.#breaker) })),
    );
    this.#errors = new CounterFamily(registry, 'verdict_redis_errors_total', [], 'Errors of Redis.').series();
  }

  onConnection(up: boolean): void {
    if (up === this.#up) return;
    this.#up = up;
    if (up) this.#log.info({}, 'Redis is in use');
    else this.#log.warn({}, 'Redis is out of use; results are kept in memory alone');
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
