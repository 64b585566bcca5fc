import { selectByLength } from './length-policy.js';
import type { ItemFacts, PolicyFacts, PolicyName, SelectBatch, Selection } from './types.js';

export interface Policy {
  readonly select: SelectBatch;
  /** Whether the next batch is formed as soon as there is something to put in, before a runner is free to take it. */
  readonly formsAhead: boolean;
  /** Whether classes and flows have their shares; otherwise everything is taken in order of arrival. */
  readonly isFair: boolean;
}

/**
 * - `length`: the most urgent item anchors, the nearest lengths fill (the default).
 * - `fifo`: order of arrival, and the next batch is frozen ahead; what text-embeddings-inference does for ONNX models.
 * - `window`: order of arrival after a fixed wait (`maxDelayMs`); what MLServer does.
 *
 * The latter two are here to be measured against.
 */
export const policies = {
  length: { select: selectByLength, formsAhead: false, isFair: true },
  fifo: { select: selectInOrder, formsAhead: true, isFair: false },
  window: { select: selectInOrder, formsAhead: false, isFair: false },
} satisfies Record<PolicyName, Policy>;

/** Takes items in the order of arrival until the batch holds its largest number. Lengths do not matter to it. */
export function selectInOrder(window: readonly ItemFacts[], facts: PolicyFacts): Selection {
  const count = Math.min(window.length, facts.maxItems);
  return {
    positions: Uint32Array.from({ length: count }, (_, position) => position),
    reason: count < facts.maxItems ? 'drained' : 'items',
  };
}
