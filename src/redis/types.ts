export type BreakerState = 'closed' | 'open' | 'half_open';

/** Why a command has no answer. `skipped`: not sent, because there is no connection or the breaker is open. */
export type RedisFailure = 'timeout' | 'error' | 'skipped';

/** Events for telemetry and logs. None may throw. */
export interface RedisHooks {
  /** The connection to a serving server was made or lost. */
  onConnection?(up: boolean): void;
  onBreaker?(state: BreakerState): void;
  /** An error in words, without keys, values or credentials. */
  onError?(message: string): void;
}
