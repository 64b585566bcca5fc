export type BreakerState = 'closed' | 'open' | 'half_open';

/** Why a command has no answer. `skipped`: not sent, for want of a connection or because the breaker is open. */
export type RedisFailure = 'timeout' | 'error' | 'skipped';

/** Events for telemetry and logs. None may throw. */
export interface RedisHooks {
  /** There is a connection to a server that serves, or there is none any more. */
  onConnection?(up: boolean): void;
  onBreaker?(state: BreakerState): void;
  /** An error in words, without keys, values or credentials. */
  onError?(message: string): void;
}
