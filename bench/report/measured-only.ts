import type { Measurement } from '../scenario.js';

/**
 * Leaves out the rounds in which there was nothing to measure (a p99 of no calls is no number), and what no round
 * measured.
 */
export function measuredOnly(measurements: readonly Measurement[]): Measurement[] {
  return measurements
    .map(({ values, reference, ...measurement }) => {
      const rounds = [...values.keys()].filter((round) => Number.isFinite(values[round]));
      const pick = (from: readonly number[]) => rounds.map((round) => from[round] ?? Number.NaN);
      const picked = { ...measurement, values: pick(values) };
      return reference === undefined ? picked : { ...picked, reference: pick(reference) };
    })
    .filter(({ values }) => values.length > 0);
}
