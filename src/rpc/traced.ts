import type { CallStage } from './interceptor.js';
import type { Call } from './route.js';

/** Runs a stage of a call, and tells the call's trace of it if there is one. @throws what `run` throws */
export function traced<T>({ trace }: Pick<Call<never>, 'trace'>, name: CallStage, run: () => T): T {
  if (trace === undefined) return run();
  const startedAt = performance.now();
  try {
    return run();
  } finally {
    trace.stage(name, startedAt, performance.now());
  }
}
