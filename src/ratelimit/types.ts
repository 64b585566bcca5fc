/** What one caller may use of the server. 0: as much as it likes. */
export interface RateLimits {
  readonly requestsPerMinute: number;
  readonly tokensPerMinute: number;
  readonly textsInFlight: number;
}

export type RateLimit = keyof RateLimits;

/** Events for telemetry. None may throw. */
export interface RateLimitHooks {
  /** Inputs were refused. */
  onRefused?(limit: RateLimit, inputs: number): void;
}
