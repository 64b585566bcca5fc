import { normal, type Random } from './random.js';

/** Text lengths as traffic has them: a log-normal distribution in tokens, cut at both ends. */
export interface LengthMix {
  readonly median: number;
  /** Deviation of the logarithm; 0: every text has the median's length. */
  readonly sigma: number;
  readonly longest: number;
}

/** Like whole SST-2 sentences: mean 27 tokens, 95th percentile 47. */
export const tightMix: LengthMix = { median: 25.1, sigma: 0.38, longest: 512 };

/** Mean 42 tokens, 95th percentile 98, up to 512. */
export const wideMix: LengthMix = { median: 34.2, sigma: 0.64, longest: 512 };

/** The two special tokens and one of the text. */
const SHORTEST = 3;

/** An endless source of lengths. */
export function drawLengths({ median, sigma, longest }: LengthMix, random: Random): () => number {
  if (sigma === 0) return () => median;
  return () => {
    const length = Math.round(median * Math.exp(sigma * normal(random)));
    return Math.max(SHORTEST, Math.min(longest, length));
  };
}
