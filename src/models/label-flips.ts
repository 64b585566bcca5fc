import type { Preprocessor } from '../preprocessing/preprocessor.js';
import type { Encoded } from '../runtime/feeds.js';
import { costBatches } from './cost-batches.js';
import type { Golden } from './golden.js';
import { heldLabels } from './held-labels.js';
import type { Run } from './paced-run.js';
import type { AppliedActivation, Batching, LabelFlips, ProblemType } from './types.js';

/** A version's known answers, and what it takes to read labels from its output. */
export interface KnownAnswers<I> {
  readonly labels: readonly string[];
  readonly problemType: ProblemType;
  readonly appliedActivation: AppliedActivation | undefined;
  /** Undefined: it has none. */
  readonly golden: Golden<I> | undefined;
}

export interface FlipsSubject<I> extends Omit<KnownAnswers<I>, 'golden'> {
  readonly run: Run;
  readonly preprocessor: Preprocessor<I>;
  readonly batching: Batching;
}

/**
 * Asks a new version the texts whose answers its predecessor knows, and counts where other labels hold. It judges nothing: a
 * better model answers some texts differently.
 *
 * @returns undefined where the two cannot be compared: other labels, a regression, no known answers
 * @throws the session's errors
 */
export async function labelFlips<I>(
  former: KnownAnswers<I>,
  subject: FlipsSubject<I>,
): Promise<LabelFlips | undefined> {
  const { golden, problemType } = former;
  if (golden === undefined || problemType === 'regression' || problemType !== subject.problemType)
    return undefined;
  if (former.labels.join('\n') !== subject.labels.join('\n')) return undefined;
  const asked: { readonly encoded: Encoded; readonly labels: string }[] = [];
  const outcomes = await Promise.allSettled(
    golden.entries.map(async ({ input, logits }) => ({
      encoded: await subject.preprocessor.encode(input, 'end'),
      labels: heldLabels(logits, problemType, former.appliedActivation),
    })),
  );
  // A text of which nothing is left in the new version's tokens has no answer any more.
  for (const outcome of outcomes) if (outcome.status === 'fulfilled') asked.push(outcome.value);
  let flipped = outcomes.length - asked.length;
  for (const batch of costBatches(asked, subject.batching)) {
    const { logits } = await subject.run(batch.map(({ encoded }) => encoded));
    for (const [index, { labels }] of batch.entries()) {
      const row = logits[index] ?? new Float32Array();
      if (heldLabels(row, problemType, subject.appliedActivation) !== labels) flipped++;
    }
  }
  return { compared: outcomes.length, flipped };
}
