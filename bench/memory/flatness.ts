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
 * By how much the medians differ at most after the settling minutes, in percent of the lowest: growth and shrinking
 * alike. NaN where fewer than two are left to compare.
 */
export function driftPercent(medians: readonly number[]): number {
  const settled = medians.slice(SETTLING_MINUTES).filter((value) => !Number.isNaN(value));
  if (settled.length < 2) return Number.NaN;
  const lowest = Math.min(...settled);
  return ((Math.max(...settled) - lowest) / lowest) * 100;
}
