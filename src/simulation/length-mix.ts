import { normal, type Random } from './random.js';

/** Text lengths as in real traffic, in tokens: log-normal, as those of sentences are, and a few long texts if need be. */
export interface LengthMix {
  readonly median: number;
  /** Deviation of the logarithm; 0: every text has the median's length. */
  readonly sigma: number;
  /** This share of the texts are long ones, spread evenly from this length to the longest. */
  readonly long?: { readonly share: number; readonly from: number };
  readonly longest: number;
}

/** Whole sentences, like those of SST-2: mean 27 tokens, 95th percentile 47. */
export const tightMix: LengthMix = { median: 25.1, sigma: 0.38, longest: 96 };

/** Sentences, paragraphs and a few pages: mean 42 tokens, 95th percentile 98, up to 512. */
export const wideMix: LengthMix = {
  median: 28.2,
  sigma: 0.61,
  long: { share: 0.03, from: 98 },
  longest: 512,
};

/** Two special tokens and three of the text. */
const SHORTEST = 5;

/** An endless source of lengths. */
export function drawLengths(mix: LengthMix, random: Random): () => number {
  const { median, sigma, long } = mix;
  if (sigma === 0) return () => median;
  if (long === undefined) return () => usualLength(mix, normal(random));
  return () => (random() <= long.share ? longLength(mix, random()) : usualLength(mix, normal(random)));
}

/** The length of a text that is none of the long ones, by a normal deviate. */
export function usualLength({ median, sigma, longest }: LengthMix, deviate: number): number {
  return Math.max(SHORTEST, Math.min(longest, Math.round(median * Math.exp(sigma * deviate))));
}

/** The length of a long text: so far from the shortest of them, 0, to the longest, 1. */
export function longLength({ long, longest }: LengthMix, place: number): number {
  const from = long?.from ?? longest;
  return Math.round(from + place * (longest - from));
}
