import type { SelectBatch, Selection } from './types.js';

/** A policy that chooses, by the rules of another one, among the items that are as long as the most urgent one. */
export function ofEqualLength(select: SelectBatch): SelectBatch {
  return (window, facts): Selection => {
    const tokens = window[0]?.tokens;
    const places: number[] = [];
    let queuedTokens = 0;
    for (const [place, item] of window.entries()) {
      if (item.tokens !== tokens) continue;
      places.push(place);
      queuedTokens += item.tokens;
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
