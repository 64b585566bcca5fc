/** Text lengths as traffic has them, drawn from a log-normal distribution by a seeded generator. */
export interface LengthMix {
  readonly median: number;
  readonly sigma: number;
  readonly longest: number;
}

/** Like whole SST-2 sentences: mean 27 tokens, 95th percentile 47. */
export const tightMix: LengthMix = { median: 25.1, sigma: 0.38, longest: 512 };

/** Mean 42 tokens, 95th percentile 98, up to 512. */
export const wideMix: LengthMix = { median: 34.2, sigma: 0.64, longest: 512 };

/** An endless source of lengths; the same seed gives the same ones. */
export function drawLengths(mix: LengthMix, seed: number): () => number {
  let state = seed;
  // A linear congruential generator (Numerical Recipes) is random enough for text lengths.
  const uniform = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state + 1) / 2 ** 32;
  };
  return () => {
    // Box-Muller: two uniform numbers make a normal one.
    const normal = Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
    return Math.max(3, Math.min(mix.longest, Math.round(mix.median * Math.exp(mix.sigma * normal))));
  };
}
