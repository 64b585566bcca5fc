import type { Truncation } from './types.js';

/**
 * How many tokens each text of a pair keeps when both may have `budget` together: the longer one loses until both are
 * equally long, then both lose; of an odd budget the one more token goes to the longer text, or to the second of two
 * equal ones. That is the rule `longest_first` of Hugging Face tokenizers.
 */
export function keptOfPair(first: number, second: number, budget: number): [first: number, second: number] {
  if (first + second <= budget) return [first, second];
  const shorter = Math.min(first, second, Math.floor(budget / 2));
  return first <= second ? [shorter, budget - shorter] : [budget - shorter, shorter];
}

/** Where a text of `length` tokens is read from when `kept` of them are. */
export function keptFrom(length: number, kept: number, truncation: Truncation): number {
  return truncation === 'start' ? length - kept : 0;
}
