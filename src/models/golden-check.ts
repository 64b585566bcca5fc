import type { Preprocessor } from '../preprocessing/preprocessor.js';
import type { Encoded } from '../runtime/feeds.js';
import type { Precision, RunResult } from '../runtime/types.js';
import { costBatches } from './cost-batches.js';
import type { Golden, GoldenEntry } from './golden.js';
import { heldLabels } from './held-labels.js';
import type { AppliedActivation, Batching, ProblemType } from './types.js';

/** Where golden.json names no tolerance. Fp16 has 11 significant bits; int8 is judged by its labels. */
const DEFAULT_TOLERANCE: Record<Precision, number> = {
  fp32: 1e-3,
  fp16: 5e-2,
  int8: Number.POSITIVE_INFINITY,
};

/** What a comparison with the recorded answers found. */
export interface GoldenReport {
  readonly ok: boolean;
  readonly entries: number;
  /** Largest absolute difference of a logit. */
  readonly largestShift: number;
  readonly tolerance: number;
  /** One sentence for each entry that differs, at most ten. Entries are named by position. */
  readonly failures: readonly string[];
}

export interface GoldenSubject<I> {
  readonly preprocessor: Preprocessor<I>;
  readonly run: (batch: readonly Encoded[]) => Promise<RunResult>;
  readonly precision: Precision;
  readonly problemType: ProblemType;
  /** Which entries run together: those that requests would. */
  readonly batching: Batching;
  readonly appliedActivation: AppliedActivation | undefined;
  /** How many entries are compared, spread over their lengths. Undefined: all. */
  readonly sampleSize?: number;
}

/**
 * Runs known inputs through preprocessor and session and compares with what the reference recorded: the same tensors,
 * the same labels, logits within tolerance. Labels are the best one, or with several labels those above a probability of
 * one half.
 */
export async function checkGolden<I>(golden: Golden<I>, subject: GoldenSubject<I>): Promise<GoldenReport> {
  const tolerance = golden.tolerance[subject.precision] ?? DEFAULT_TOLERANCE[subject.precision];
  const failures: string[] = [];
  let largestShift = 0;
  const chosen = spread(byCost(await encodeAll(golden, subject.preprocessor)), subject.sampleSize);
  for (const batch of costBatches(chosen, subject.batching)) {
    const { logits } = await subject.run(batch.map(({ encoded }) => encoded));
    batch.forEach(({ entry, encoded, position }, index) => {
      const row = logits[index] ?? new Float32Array();
      const shift = distance(entry.logits, row);
      largestShift = Math.max(largestShift, shift);
      const difference = differs(entry, encoded, row, shift, tolerance, subject);
      if (difference !== undefined) failures.push(`entry ${position}: ${difference}`);
    });
  }
  return {
    ok: failures.length === 0,
    entries: chosen.length,
    largestShift,
    tolerance,
    failures: failures.slice(0, 10),
  };
}

interface EncodedEntry<I> {
  readonly entry: GoldenEntry<I>;
  readonly encoded: Encoded;
  /** In golden.json. */
  readonly position: number;
}

function encodeAll<I>(golden: Golden<I>, preprocessor: Preprocessor<I>): Promise<EncodedEntry<I>[]> {
  return Promise.all(
    golden.entries.map(async (entry, position) => ({
      entry,
      encoded: await preprocessor.encode(entry.input, 'end'),
      position,
    })),
  );
}

function byCost<I>(entries: readonly EncodedEntry<I>[]): EncodedEntry<I>[] {
  return [...entries].sort((a, b) => a.encoded.cost - b.encoded.cost);
}

/** The first, the last and others at even distances. */
function spread<T>(items: readonly T[], count = items.length): readonly T[] {
  if (items.length <= count) return items;
  const step = (items.length - 1) / Math.max(1, count - 1);
  return Array.from({ length: count }, (_, index) => items[Math.round(index * step)] as T);
}

function differs<I>(
  entry: GoldenEntry<I>,
  encoded: Encoded,
  logits: Float32Array,
  shift: number,
  tolerance: number,
  { problemType, appliedActivation }: GoldenSubject<I>,
): string | undefined {
  for (const [name, values] of Object.entries(entry.tensors)) {
    const found = encoded.tensors[name] ?? new Int32Array(0);
    if (found.length !== values.length) {
      return `${name}: expected ${values.length} numbers, got ${found.length}`;
    }
    const wrong = values.findIndex((value, index) => found[index] !== value);
    if (wrong >= 0) return `${name}: number ${wrong} differs from the reference`;
  }
  if (encoded.truncated !== entry.truncated) return `expected truncated to be ${entry.truncated}`;
  if (!logits.every(Number.isFinite)) return 'a logit is not a finite number';
  const held = (row: ArrayLike<number>) => heldLabels(row, problemType, appliedActivation);
  if (held(entry.logits) !== held(logits)) return 'the labels differ from the reference';
  if (!(shift <= tolerance)) return `a logit differs by ${shift.toPrecision(3)}, more than ${tolerance}`;
  return undefined;
}

function distance(expected: readonly number[], actual: Float32Array): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  return expected.reduce((largest, value, index) => {
    const difference = Math.abs(value - (actual[index] ?? Number.NaN));
    return Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(largest, difference);
  }, 0);
}
