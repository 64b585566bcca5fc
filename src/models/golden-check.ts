import type { Precision, RunResult } from '../runtime/types.js';
import type { Encoding, Tokenizer } from '../tokenizer/types.js';
import type { Golden, GoldenEntry } from './golden.js';
import type { AppliedActivation, Batching, ProblemType } from './types.js';

/** Of one batch: small enough to be quick and to leave the session's memory small, large enough that padding takes part. */
const BATCH_PADDED_TOKENS = 256;

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

export interface GoldenSubject {
  readonly tokenizer: Tokenizer;
  readonly run: (encodings: readonly Encoding[]) => Promise<RunResult>;
  readonly precision: Precision;
  readonly problemType: ProblemType;
  /** Which entries run together: those that requests would. */
  readonly batching: Batching;
  readonly appliedActivation: AppliedActivation | undefined;
  /** How many entries are compared, spread over their lengths. Undefined: all. */
  readonly sampleSize?: number;
}

/**
 * Runs known inputs through tokeniser and session and compares with what the reference recorded: the same token ids,
 * the same labels, logits within tolerance. Labels are the best one, or with several labels those above a probability of
 * one half.
 */
export async function checkGolden(golden: Golden, subject: GoldenSubject): Promise<GoldenReport> {
  const tolerance = golden.tolerance[subject.precision] ?? DEFAULT_TOLERANCE[subject.precision];
  const failures: string[] = [];
  let largestShift = 0;
  const chosen = spread(byLength(await encodeAll(golden, subject.tokenizer)), subject.sampleSize);
  for (const batch of batchesOf(chosen, subject.batching)) {
    const { logits } = await subject.run(batch.map(({ encoding }) => encoding));
    batch.forEach(({ entry, encoding, position }, index) => {
      const row = logits[index] ?? new Float32Array();
      const shift = distance(entry.logits, row);
      largestShift = Math.max(largestShift, shift);
      const difference = differs(entry, encoding, row, shift, tolerance, subject);
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

interface EncodedEntry {
  readonly entry: GoldenEntry;
  readonly encoding: Encoding;
  /** In golden.json. */
  readonly position: number;
}

function encodeAll(golden: Golden, tokenizer: Tokenizer): Promise<EncodedEntry[]> {
  return Promise.all(
    golden.entries.map(async (entry, position) => ({
      entry,
      encoding: await tokenizer.encode(entry.input, 'end'),
      position,
    })),
  );
}

function byLength(encoded: readonly EncodedEntry[]): EncodedEntry[] {
  return [...encoded].sort((a, b) => a.encoding.ids.length - b.encoding.ids.length);
}

/** The first, the last and others at even distances. */
function spread<T>(items: readonly T[], count = items.length): readonly T[] {
  if (items.length <= count) return items;
  const step = (items.length - 1) / Math.max(1, count - 1);
  return Array.from({ length: count }, (_, index) => items[Math.round(index * step)] as T);
}

/**
 * Batches of neighbouring lengths, within the limit; an entry that is longer runs alone.
 * @param encoded by length
 */
function batchesOf(encoded: readonly EncodedEntry[], batching: Batching): EncodedEntry[][] {
  const batches: EncodedEntry[][] = [];
  let batch: EncodedEntry[] = [];
  for (const item of encoded) {
    const [shortest] = batch;
    const { length } = item.encoding.ids;
    const fits =
      shortest === undefined ||
      (length * (batch.length + 1) <= BATCH_PADDED_TOKENS &&
        batching !== 'one_at_a_time' &&
        (batching === 'padded' || length === shortest.encoding.ids.length));
    if (!fits) {
      batches.push(batch);
      batch = [];
    }
    batch.push(item);
  }
  return batch.length > 0 ? [...batches, batch] : batches;
}

function differs(
  entry: GoldenEntry,
  encoding: Encoding,
  logits: Float32Array,
  shift: number,
  tolerance: number,
  { problemType, appliedActivation }: GoldenSubject,
): string | undefined {
  if (encoding.ids.length !== entry.tokenIds.length) {
    return `expected ${entry.tokenIds.length} tokens, got ${encoding.ids.length}`;
  }
  const wrongToken = entry.tokenIds.findIndex((id, index) => encoding.ids[index] !== id);
  if (wrongToken >= 0) return `token ${wrongToken} differs from the reference`;
  if (encoding.truncated !== entry.truncated) return `expected truncated to be ${entry.truncated}`;
  if (!logits.every(Number.isFinite)) return 'a logit is not a finite number';
  if (!sameLabels(entry.logits, logits, problemType, appliedActivation === 'sigmoid' ? 0.5 : 0))
    return 'the labels differ from the reference';
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

/** @param threshold output from which on one of several labels holds */
function sameLabels(
  expected: readonly number[],
  actual: Float32Array,
  problemType: ProblemType,
  threshold: number,
): boolean {
  if (problemType === 'regression') return true;
  if (problemType === 'multi_label_classification') {
    return expected.every((logit, index) => logit > threshold === (actual[index] ?? 0) > threshold);
  }
  return best(expected) === best(actual);
}

function best(logits: ArrayLike<number>): number {
  let index = 0;
  for (let i = 1; i < logits.length; i++) if ((logits[i] ?? 0) > (logits[index] ?? 0)) index = i;
  return index;
}
