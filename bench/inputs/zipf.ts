import type { Random } from './random.js';

/**
 * Ranks 0 to `n` - 1 as Zipf's law has them: the probability of rank k is proportional to 1 / (k + 1)^s. Draws by
 * binary search in the cumulative distribution.
 *
 * @param s the exponent; 0 is uniform, 1 is what word and query frequencies come close to
 */
export function zipfSampler(n: number, s: number, random: Random): () => number {
  const cumulative = new Float64Array(n);
  let sum = 0;
  for (let rank = 0; rank < n; rank++) {
    sum += (rank + 1) ** -s;
    cumulative[rank] = sum;
  }
  return () => {
    const target = random() * sum;
    let low = 0;
    let high = n - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((cumulative[middle] ?? 0) > target) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}
