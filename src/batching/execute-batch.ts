import type { QueueItem } from './queue-item.js';
import type { ItemFailure, Runner } from './types.js';

/** How a run ended. */
export type RunOutcome<R> =
  | { readonly values: readonly (R | ItemFailure)[]; readonly runMs: number }
  | { readonly error: unknown };

/** Runs the items on the runner and checks what comes back. Never rejects. */
export async function executeBatch<T, R>(
  runner: Runner<T, R>,
  items: readonly QueueItem<T, R>[],
): Promise<RunOutcome<R>> {
  try {
    const outcome = await runner.run(items.map((item) => item.payload));
    if (outcome.values.length === items.length) return outcome;
    return {
      error: new Error(`the runner returned ${outcome.values.length} results for ${items.length} items`),
    };
  } catch (error) {
    return { error };
  }
}
