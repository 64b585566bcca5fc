export type BreakerState = 'closed' | 'open' | 'half_open';

/** Events for telemetry and logs. None may throw. */
export interface RedisHooks {
  onConnection?(up: boolean): void;
  onBreaker?(state: BreakerState): void;
  /** An error in words, without keys, values or credentials. */
  onError?(message: string): void;
}
