import type { Encoded } from '../runtime/feeds.js';
import type { Batching } from './types.js';

/** Of one batch: small enough to be quick and to leave the session's memory small, large enough that padding takes part. */
const BATCH_PADDED_TOKENS = 256;

/**
 * Divides known inputs into batches of neighbouring costs, as requests would be; an input that is dearer than a batch may be
 * runs alone.
 */
export function costBatches<T extends { readonly encoded: Encoded }>(
  inputs: readonly T[],
  batching: Batching,
): T[][] {
  const batches: T[][] = [];
  let batch: T[] = [];
  for (const input of inputs.toSorted((a, b) => a.encoded.cost - b.encoded.cost)) {
    const [cheapest] = batch;
    const { cost } = input.encoded;
    const fits =
      cheapest === undefined ||
      (cost * (batch.length + 1) <= BATCH_PADDED_TOKENS &&
        batching !== 'one_at_a_time' &&
        (batching === 'padded' || cost === cheapest.encoded.cost));
    if (!fits) {
      batches.push(batch);
      batch = [];
    }
    batch.push(input);
  }
  return batch.length > 0 ? [...batches, batch] : batches;
}
