import { median } from '../statistics.js';

/** Resident memory at one time. */
export interface MemorySample {
  /** Since the start of the soak, in milliseconds. */
  readonly atMs: number;
  readonly mb: number;
}

/** Full minutes at the start in which memory may still grow: arenas, caches and compiled code find their size. */
const SETTLING_MINUTES = 2;

/** The median of each full minute, or of each piece of `pieceMs` where a soak is shorter than minutes. */
export function medianPerPiece(samples: readonly MemorySample[], pieceMs: number): number[] {
  const pieces: number[][] = [];
  for (const { atMs, mb } of samples) {
    const piece = Math.floor(atMs / pieceMs);
    while (pieces.length <= piece) pieces.push([]);
    pieces[piece]?.push(mb);
  }
  return pieces.map((values) => median(values));
}

/**
 * How far, at most, a minute after the settling ones lies from their common level (the median of them), in percent of
 * it: above or below. NaN where fewer than two minutes are left.
 */
export function deviationPercent(medians: readonly number[]): number {
  const settled = settledOf(medians);
  if (settled.length < 2) return Number.NaN;
  const level = median(settled);
  return Math.max(...settled.map((value) => (Math.abs(value - level) / level) * 100));
}

/**
 * What the settled minutes grow by from the first to the last, in percent of the first, along the line of least squares
 * through them: what a leak does and a collector's ups and downs do not. NaN where fewer than two are left.
 */
export function growthPercent(medians: readonly number[]): number {
  const settled = settledOf(medians);
  if (settled.length < 2) return Number.NaN;
  const middle = (settled.length - 1) / 2;
  const mean = settled.reduce((sum, value) => sum + value, 0) / settled.length;
  let covariance = 0;
  let variance = 0;
  for (const [index, value] of settled.entries()) {
    covariance += (index - middle) * (value - mean);
    variance += (index - middle) ** 2;
  }
  const slope = covariance / variance;
  return ((slope * 2 * middle) / (mean - slope * middle)) * 100;
}

function settledOf(medians: readonly number[]): number[] {
  return medians.slice(SETTLING_MINUTES).filter((value) => !Number.isNaN(value));
}
