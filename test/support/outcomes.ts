import { VerdictClientError } from '../../clients/typescript/src/index.js';

/** How often each outcome occurred: `OK`, or an error as `CODE REASON`. */
export type Outcomes = Record<string, number>;

/** `OK`, or the error as `CODE REASON`. What is no error of the client's is thrown on. */
export function outcomeOf(error?: unknown): string {
  if (error === undefined) return 'OK';
  if (!(error instanceof VerdictClientError)) throw error;
  return `${error.code} ${error.reason}`.trim();
}

/** Waits for all calls, good or bad, and counts how they ended. */
export async function outcomesOf(calls: Iterable<Promise<unknown>>): Promise<Outcomes> {
  const counts: Outcomes = {};
  for (const ended of await Promise.allSettled(calls)) {
    count(counts, ended.status === 'fulfilled' ? outcomeOf() : outcomeOf(ended.reason));
  }
  return counts;
}

/** Counts one more. */
export function count(counts: Outcomes, outcome: string): void {
  counts[outcome] = (counts[outcome] ?? 0) + 1;
}

/** How many outcomes there were in all. */
export function total(counts: Outcomes): number {
  return Object.values(counts).reduce((sum, value) => sum + value, 0);
}
