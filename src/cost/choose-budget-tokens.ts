import { type CostCurve, type CostSample, marginalMs, predictRunMs } from './cost-curve.js';

export interface BudgetChoice {
  /** The usual length of this model's texts: the measured shapes closest to it decide. */
  readonly typicalTokens: number;
  readonly minTokens: number;
  readonly maxTokens: number;
  /** Share of the best throughput that may be given up for smaller batches; default 0.05. */
  readonly tolerance?: number;
}

/** Measured sizes this close to the best throughput count as the best: two runs of one shape differ by as much. */
const NOISE = 0.02;

/**
 * The padded-token budget: the knee of the throughput curve, that is the smallest budget whose throughput is within the
 * tolerance of the best. Larger batches would only make all inputs wait longer.
 *
 * Throughput of a batch of P padded tokens of length L is P / run time. If the measurements show it level off or fall
 * (on CPUs it falls once activations leave the caches, which the curve cannot express), the budget is the smallest
 * measured P with at least (1 - tolerance) x the best measured throughput. If the largest measured shape was still the
 * best, the curve extrapolates: with m = (msPerToken + msPerTokenSquared x L) the throughput is 1 / (baseMs / P + m),
 * and P = baseMs / (1 / target - m) reaches the target (1 - tolerance) x the throughput at `maxTokens`.
 */
export function chooseBudgetTokens(
  curve: CostCurve,
  samples: readonly CostSample[],
  choice: BudgetChoice,
): number {
  const keep = 1 - (choice.tolerance ?? 0.05);
  const clamp = (tokens: number): number =>
    Math.round(Math.min(choice.maxTokens, Math.max(choice.minTokens, tokens)));
  const measured = sizesNear(samples, choice.typicalTokens);
  const largest = measured.at(-1);
  const best = Math.max(...measured.map((size) => size.throughput));
  if (largest !== undefined && measured.length > 1 && largest.throughput < best * (1 - NOISE)) {
    return clamp(measured.find((size) => size.throughput >= best * keep)?.padded ?? largest.padded);
  }
  const length = choice.typicalTokens;
  const msPerPaddedToken = marginalMs(curve, length) / length;
  const atMost = choice.maxTokens / predictRunMs(curve, choice.maxTokens / length, length);
  const room = 1 / (atMost * keep) - msPerPaddedToken;
  return clamp(room > 0 ? Math.ceil(curve.baseMs / room) : choice.maxTokens);
}

/**
 * The measured sizes, ascending, of the length closest to the typical one among those measured at more than one size.
 */
function sizesNear(
  samples: readonly CostSample[],
  typicalTokens: number,
): { readonly padded: number; readonly throughput: number }[] {
  const lengths = [...new Set(samples.map((sample) => sample.tokens))]
    .filter((length) => samples.filter((sample) => sample.tokens === length).length > 1)
    .sort((a, b) => Math.abs(Math.log(a / typicalTokens)) - Math.abs(Math.log(b / typicalTokens)));
  return samples
    .filter((sample) => sample.tokens === lengths[0] && sample.runMs > 0)
    .map(({ items, tokens, runMs }) => ({ padded: items * tokens, throughput: (items * tokens) / runMs }))
    .sort((a, b) => a.padded - b.padded);
}
