/** The value below which the fraction `q` of the values lies; linear between neighbours. NaN for no values. */
export function quantile(values: ArrayLike<number>, q: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = Float64Array.from(values).sort();
  const position = (sorted.length - 1) * q;
  const below = sorted[Math.floor(position)] ?? Number.NaN;
  const above = sorted[Math.ceil(position)] ?? Number.NaN;
  return below + (above - below) * (position - Math.floor(position));
}

export function median(values: ArrayLike<number>): number {
  return quantile(values, 0.5);
}

/** Value by value. */
export function ratios(values: readonly number[], references: readonly number[]): number[] {
  return values.map((value, i) => value / (references[i] ?? Number.NaN));
}

/** The largest value over the smallest one: how far a reference that should be constant moved. */
export function drift(values: readonly number[]): number {
  return Math.max(...values) / Math.min(...values);
}
