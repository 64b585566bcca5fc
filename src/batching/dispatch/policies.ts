import type { InputFacts, PolicyFacts, PolicyName, SelectBatch, Selection } from '../types.js';
import { selectByLength } from './length-policy.js';

export interface Policy {
  readonly select: SelectBatch;
  /** Whether the next batch is formed as soon as there is something to put in, before a runner is free to take it. */
  readonly formsAhead: boolean;
  /** Whether classes and flows have their shares; otherwise everything is taken in order of arrival. */
  readonly isFair: boolean;
}

/**
 * - `length`: the most urgent input anchors, the nearest lengths fill (the default).
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

/** Takes inputs in the order of arrival until the batch holds its largest number. Lengths do not matter to it. */
export function selectInOrder(window: readonly InputFacts[], facts: PolicyFacts): Selection {
  const count = Math.min(window.length, facts.maxItems);
  return {
    positions: Uint32Array.from({ length: count }, (_, position) => position),
    reason: count < facts.maxItems ? 'drained' : 'items',
  };
}

/** A policy that chooses, by the rules of another one, among the inputs that are as long as the most urgent one. */
export function ofEqualLength(select: SelectBatch): SelectBatch {
  return (window, facts): Selection => {
    const tokens = window[0]?.tokens;
    const places: number[] = [];
    let queuedTokens = 0;
    for (const [place, input] of window.entries()) {
      if (input.tokens !== tokens) continue;
      places.push(place);
      queuedTokens += input.tokens;
    }
    const { positions, reason } = select(
      places.flatMap((place) => window[place] ?? []),
      { ...facts, queuedItems: places.length, queuedTokens },
    );
    const isShort = reason === 'drained' && places.length < window.length;
    return {
      positions: Array.from(positions, (position) => places[position] ?? 0),
      reason: isShort ? 'length' : reason,
    };
  };
}
