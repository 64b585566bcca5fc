import type { AnswerSource, TextClient } from './clients/text-client.js';

/** What became of one pass. */
export interface TextPassResult {
  readonly elapsedMs: number;
  /** Of the texts that were answered, in the order of the answers. */
  readonly latenciesMs: number[];
  readonly failed: number;
  /** What the first failure said. */
  readonly firstFailure: string | undefined;
  readonly bySource: Readonly<Record<AnswerSource, number>>;
}

/**
 * Sends texts so that `inFlight` are under way at any time: each answer makes room for the next text. A failure makes
 * room too, and is counted.
 */
export async function runTextLoop(
  client: Pick<TextClient, 'classify'>,
  texts: readonly string[],
  inFlight: number,
): Promise<TextPassResult> {
  const latenciesMs: number[] = [];
  const bySource = { computed: 0, joined: 0, cache: 0, unknown: 0 };
  let next = 0;
  let failed = 0;
  let firstFailure: string | undefined;
  const lane = async () => {
    for (let text = texts[next++]; text !== undefined; text = texts[next++]) {
      const sentAt = performance.now();
      try {
        bySource[await client.classify(text)]++;
        latenciesMs.push(performance.now() - sentAt);
      } catch (error) {
        failed++;
        firstFailure ??= error instanceof Error ? error.message : String(error);
      }
    }
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: inFlight }, lane));
  return { elapsedMs: performance.now() - startedAt, latenciesMs, failed, firstFailure, bySource };
}
