/** How long to wait before a lost process is replaced. */
export interface BackoffOptions {
  /** Before the first replacement, in milliseconds. Each further one waits twice as long. */
  readonly initialMs: number;
  /** The longest wait, in milliseconds. */
  readonly maxMs: number;
  /** A session that lived this long, in milliseconds, was healthy: the next loss counts as the first again. */
  readonly stableMs: number;
}

/**
 * The wait before attempt number `attempt` (1, 2, ...): doubling, capped, with the upper half drawn by `random` (0 to
 * 1), so that replicas that fail together do not recover together, and none restarts at once.
 */
export function backoffMs(options: BackoffOptions, attempt: number, random: () => number): number {
  const full = Math.min(options.maxMs, options.initialMs * 2 ** (attempt - 1));
  return full * (0.5 + 0.5 * random());
}
