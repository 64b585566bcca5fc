import type { Progress } from './progress.js';

/** Things to compare, by name: each call is one pass. */
export type Contenders = Readonly<Record<string, () => Promise<unknown>>>;

/** One pass of each contender. */
export type Round<C extends Contenders> = { readonly [N in keyof C]: Awaited<ReturnType<C[N]>> };

export interface AlternateOptions<C extends Contenders> {
  readonly rounds: number;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** A pass each before the first round that is not counted (default: unless `short`). */
  readonly warmUp?: boolean;
  readonly short?: boolean;
  /** What the terminal shows of a pass. */
  readonly describe?: (pass: Round<C>[keyof C]) => string;
}

/**
 * Lets contenders take turns, pass by pass, so that they meet the same machine: a ratio of neighbours in time survives
 * the drift of a shared machine, which an absolute number does not. Every other round goes backwards, so that a drift
 * within a round favours nobody either.
 */
export async function alternate<C extends Contenders>(
  contenders: C,
  { rounds, progress, signal, short = false, warmUp = !short, describe }: AlternateOptions<C>,
): Promise<Round<C>[]> {
  const names = Object.keys(contenders);
  progress.expect((rounds + (warmUp ? 1 : 0)) * names.length);
  const runRound = async (title: string, order: readonly string[]) => {
    const passes: Record<string, unknown> = {};
    for (const name of order) {
      signal.throwIfAborted();
      const pass = await contenders[name]?.();
      passes[name] = pass;
      const description = describe?.(pass as Round<C>[keyof C]) ?? '';
      progress.advance(`${title}: ${name} ${description}`.trimEnd());
    }
    return passes as Round<C>;
  };
  if (warmUp) await runRound('warm-up', names);
  const results: Round<C>[] = [];
  for (let round = 1; round <= rounds; round++) {
    const order = round % 2 === 1 ? names : names.toReversed();
    results.push(await runRound(`round ${round}/${rounds}`, order));
  }
  return results;
}
