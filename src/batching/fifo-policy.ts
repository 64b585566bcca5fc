import type { PolicyFacts, Selection } from './policy.js';
import type { ItemFacts } from './types.js';

/** Takes items in the order of arrival until the batch holds its largest number. Lengths do not matter to it. */
export function selectInOrder(window: readonly ItemFacts[], facts: PolicyFacts): Selection {
  const count = Math.min(window.length, facts.maxItems);
  return {
    positions: Uint32Array.from({ length: count }, (_, position) => position),
    reason: count < facts.maxItems ? 'drained' : 'items',
  };
}
