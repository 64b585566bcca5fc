import type { CostCurve } from '../cost/cost-curve.js';
import { selectInOrder } from './fifo-policy.js';
import { selectByLength } from './length-policy.js';
import type { CloseReason, ItemFacts, PolicyName } from './types.js';

/** What a policy knows besides the items. */
export interface PolicyFacts {
  /** The batcher's clock, in milliseconds. */
  readonly now: number;
  /** All that is queued; more than the window where the look-ahead ends before the queue does. */
  readonly queuedItems: number;
  readonly queuedTokens: number;
  /** Runners that are free now, the one that the batch is for included. */
  readonly idleRunners: number;
  readonly budgetTokens: number;
  readonly maxItems: number;
  /** Predicted run time at most; Infinity: no cap. */
  readonly maxRunMs: number;
  readonly maxAgeMs: number;
  readonly curve: CostCurve;
}

/** The items of a batch, as positions in the window, at least one. */
export interface Selection {
  readonly positions: ArrayLike<number>;
  readonly reason: CloseReason;
}

/** Chooses a batch out of some queued items, the most urgent one first, at least one. A pure function. */
export type SelectBatch = (window: readonly ItemFacts[], facts: PolicyFacts) => Selection;

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
