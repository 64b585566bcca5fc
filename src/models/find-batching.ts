import { SessionRunError } from '../runtime/errors.js';
import type { Encoded } from '../runtime/feeds.js';
import type { Precision, RunResult } from '../runtime/types.js';
import type { AppliedActivation, Batching, ProblemType } from './types.js';

/** Rows that run together in a trial. */
const ROWS = 4;

/**
 * What a logit may differ by, relative to the row's largest one where that exceeds 1: the order of additions differs from
 * shape to shape, and nothing else should. Reduced integers are judged by their labels instead.
 */
const ROUNDING: Record<Exclude<Precision, 'int8'>, number> = { fp32: 1e-3, fp16: 5e-2 };

/** Margin from which on int8 has to keep a label, where golden.json names no tolerance. */
const INT8_MARGIN = 0.5;

export interface BatchingSubject {
  readonly run: (batch: readonly Encoded[]) => Promise<RunResult>;
  /** The inputs again, truncated to a cost. */
  readonly probesUpTo: (cost: number) => Promise<readonly Encoded[]>;
  readonly precision: Precision;
  readonly problemType: ProblemType;
  readonly appliedActivation: AppliedActivation | undefined;
  /** The tolerance of golden.json for this precision; undefined: none is given. */
  readonly tolerance: number | undefined;
}

/** What the trials showed. */
export interface BatchingFound {
  /** Undefined: not even a text alone gets the same answer twice. */
  readonly batching: Batching | undefined;
  /** What each input was answered alone. */
  readonly alone: readonly Float32Array[];
}

/**
 * Finds the largest freedom to form batches that leaves every answer as it is when the input runs alone: a graph that
 * ignores the attention mask, or looks for the last token from the end, answers with its neighbours' padding; one that
 * computes over the whole batch, with its neighbours.
 *
 * @param inputs shortest first; at least two
 * @throws the session's errors, but for a batch that ONNX Runtime refuses: that is an answer too
 */
export async function findBatching(
  inputs: readonly Encoded[],
  subject: BatchingSubject,
): Promise<BatchingFound> {
  const alone = await runAlone(inputs, subject);
  const again = await runAlone(inputs.slice(0, ROWS), subject);
  if (!allSame(alone.slice(0, ROWS), again, subject)) return { batching: undefined, alone };
  if (await survives(besideLonger(inputs, alone), subject)) return { batching: 'padded', alone };
  for (const from of [inputs.length >> 2, inputs.length >> 1]) {
    const cost = inputs[from]?.cost ?? 1;
    const equal = (await subject.probesUpTo(cost)).filter((input) => input.cost === cost);
    const rows = rowsOf(equal, await runAlone(equal, subject));
    if (!(await survives([rows], subject))) return { batching: 'one_at_a_time', alone };
  }
  return { batching: 'equal_length', alone };
}

interface Row {
  readonly encoded: Encoded;
  readonly alone: Float32Array;
}

/**
 * Batches in which short inputs are padded to the longest one, which comes last in one and first in the other; and all
 * inputs together, since one that is out of the ordinary may be anywhere among them.
 */
function besideLonger(inputs: readonly Encoded[], alone: readonly Float32Array[]): Row[][] {
  const rows = rowsOf(inputs, alone);
  const longest = rows.slice(-1);
  return [
    [...rows.slice(0, ROWS - 1), ...longest],
    [...longest, ...rows.slice(ROWS - 1, 2 * ROWS - 2)],
    rows,
  ];
}

function rowsOf(inputs: readonly Encoded[], alone: readonly Float32Array[]): Row[] {
  return inputs.map((encoded, index) => ({ encoded, alone: alone[index] ?? new Float32Array() }));
}

async function runAlone(inputs: readonly Encoded[], { run }: BatchingSubject): Promise<Float32Array[]> {
  const answers: Float32Array[] = [];
  for (const input of inputs) answers.push((await run([input])).logits[0] ?? new Float32Array());
  return answers;
}

async function survives(batches: readonly (readonly Row[])[], subject: BatchingSubject): Promise<boolean> {
  for (const batch of batches) {
    try {
      const { logits } = await subject.run(batch.map(({ encoded }) => encoded));
      if (
        !allSame(
          batch.map(({ alone }) => alone),
          logits,
          subject,
        )
      )
        return false;
    } catch (error) {
      if (error instanceof SessionRunError) return false;
      throw error;
    }
  }
  return true;
}

function allSame(
  expected: readonly Float32Array[],
  actual: readonly Float32Array[],
  subject: BatchingSubject,
): boolean {
  return expected.every((row, index) => same(row, actual[index] ?? new Float32Array(), subject));
}

function same(expected: Float32Array, actual: Float32Array, subject: BatchingSubject): boolean {
  if (expected.length !== actual.length) return false;
  // A text that the model has no answer to is refused when it is asked; here it must not come and go with its neighbours.
  if (!expected.every(Number.isFinite)) return !actual.every(Number.isFinite);
  if (!actual.every(Number.isFinite)) return false;
  const { precision, tolerance = INT8_MARGIN, problemType, appliedActivation } = subject;
  if (precision === 'int8') {
    const [before, after] = [expected, actual].map((row) => asLogits(row, appliedActivation));
    return keepsLabels(before ?? expected, after ?? actual, tolerance, problemType);
  }
  const scale = expected.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1);
  return expected.every(
    (value, index) => Math.abs(value - (actual[index] ?? 0)) <= ROUNDING[precision] * scale,
  );
}

/** Nearer to 0 or 1, a float32 does not tell probabilities apart. */
const LEAST_PROBABILITY = 1e-7;

/** Logits that the activation makes this row of; of a softmax, those that add up to a normaliser of 1. */
function asLogits(row: Float32Array, activation: AppliedActivation | undefined): Float32Array {
  if (activation === undefined) return row;
  return row.map((value) => {
    const score = Math.min(Math.max(value, LEAST_PROBABILITY), 1 - LEAST_PROBABILITY);
    return activation === 'softmax' ? Math.log(score) : Math.log(score / (1 - score));
  });
}

/** Whether every label holds or not as before, those passed over whose margin is within `margin`. */
function keepsLabels(
  expected: Float32Array,
  actual: Float32Array,
  margin: number,
  problemType: ProblemType,
): boolean {
  if (problemType === 'regression') {
    return expected.every((value, index) => Math.abs(value - (actual[index] ?? 0)) <= margin);
  }
  if (problemType === 'multi_label_classification') {
    return expected.every(
      (value, index) => Math.abs(value) <= margin || value > 0 === (actual[index] ?? 0) > 0,
    );
  }
  const [first = 0, second = Number.NEGATIVE_INFINITY] = [...expected].sort((a, b) => b - a);
  return (
    first - second <= margin ||
    expected.indexOf(first) === actual.indexOf(actual.reduce((most, value) => Math.max(most, value)))
  );
}
