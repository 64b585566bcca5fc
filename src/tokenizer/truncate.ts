import type { Truncation } from './types.js';

/**
 * How many tokens each text of a pair keeps if both together may have `budget`: the longer text loses tokens until both
 * are equally long, then both do. The extra token of an odd budget goes to the longer text, or to the second of two
 * equal ones. This is the rule `longest_first` of Hugging Face tokenizers.
 */
export function keptOfPair(first: number, second: number, budget: number): [first: number, second: number] {
  if (first + second <= budget) return [first, second];
  const shorter = Math.min(first, second, Math.floor(budget / 2));
  return first <= second ? [shorter, budget - shorter] : [budget - shorter, shorter];
}

/** The first token to read of a text of `length` tokens if `kept` of them are read. */
export function keptFrom(length: number, kept: number, truncation: Truncation): number {
  return truncation === 'start' ? length - kept : 0;
}
