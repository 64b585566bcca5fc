import { normal, type Random } from './random.js';

/**
 * Token lengths as a mix has them: log-normal, as sentences are, with a share of long texts whose lengths are spread
 * evenly up to `longest`.
 */
export interface LengthMix {
  readonly median: number;
  readonly sigma: number;
  readonly longShare: number;
  readonly longFrom: number;
  readonly longest: number;
}

/**
 * - `tight`: whole sentences: mean 27 tokens, 95th percentile 47.
 * - `wide`: sentences, paragraphs and a few pages: mean 42, 95th percentile 98, up to 512.
 */
export const lengthMixes = {
  tight: { median: 25.1, sigma: 0.38, longShare: 0, longFrom: 0, longest: 96 },
  wide: { median: 28.2, sigma: 0.61, longShare: 0.03, longFrom: 98, longest: 512 },
} as const satisfies Record<string, LengthMix>;

export type MixName = keyof typeof lengthMixes;

/**
 * The lengths of `count` texts, the long ones first. Those are spread evenly instead of drawn, so that a few hundred
 * texts already have the mix's tail.
 */
export function drawLengths(mix: LengthMix, count: number, random: Random): number[] {
  const long = Math.round(count * mix.longShare);
  return Array.from({ length: count }, (_, i) => {
    if (i < long) {
      const share = long === 1 ? 1 : i / (long - 1);
      return Math.round(mix.longFrom + share * (mix.longest - mix.longFrom));
    }
    return Math.round(mix.median * Math.exp(mix.sigma * normal(random)));
  }).map((tokens) => Math.max(MIN_TOKENS, Math.min(mix.longest, tokens)));
}

/** Two of them are special tokens. */
const MIN_TOKENS = 5;
