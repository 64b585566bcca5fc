import { setTimeout as delay } from 'node:timers/promises';
import type { Encoded } from '../runtime/feeds.js';
import type { RunResult } from '../runtime/types.js';

/** Runs one batch in a session. */
export type Run = (batch: readonly Encoded[]) => Promise<RunResult>;

/** Waits after a run that took `ranMs`. Rejects when the work is given up. */
export type Rest = (ranMs: number) => Promise<void>;

/** Of a session that may have the machine for itself. */
export const noRest: Rest = async () => {};

/** Of a session beside others that serve: as long as the run took, so that it leaves them half of the time. */
export function equalRest(signal: AbortSignal): Rest {
  return (ranMs) => delay(ranMs, undefined, { signal });
}

/** Runs with a rest after each. */
export function pacedRun(run: Run, rest: Rest): Run {
  return async (batch) => {
    const startedAt = performance.now();
    const result = await run(batch);
    await rest(performance.now() - startedAt);
    return result;
  };
}
