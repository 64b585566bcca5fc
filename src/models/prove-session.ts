import type { Preprocessor } from '../preprocessing/preprocessor.js';
import { SessionOutOfMemoryError, SessionRunError } from '../runtime/errors.js';
import type { Precision } from '../runtime/types.js';
import { findBatching } from './find-batching.js';
import type { Golden } from './golden.js';
import { checkGolden, type GoldenReport } from './golden-check.js';
import type { ModelManifest } from './manifest.js';
import { ModelLoadError } from './model-load-error.js';
import type { Run } from './paced-run.js';
import type { AppliedActivation, Batching } from './types.js';
import type { Weights } from './weights.js';

/** A model may read more, but attention over so many tokens takes gigabytes. */
const MOST_COST_AT_LIMIT = 512;

export interface ProofSubject<I> {
  readonly manifest: ModelManifest;
  readonly precision: Precision;
  readonly weights: Weights;
  readonly preprocessor: Preprocessor<I>;
  readonly golden: Golden<I> | undefined;
}

/** What a session of these weights was found to do. The same for every session of them. */
export interface SessionProof {
  readonly batching: Batching;
  /** What the graph itself does to its logits; undefined: nothing. */
  readonly appliedActivation: AppliedActivation | undefined;
}

/**
 * Tries weights on a session of theirs: on the largest input that they are said to read, on inputs alone and beside each
 * other. Server and `models verify` both ask here.
 *
 * @throws ModelLoadError naming the weights and the remedy; the session's errors when it is lost
 */
export async function proveSession<I>(run: Run, subject: ProofSubject<I>): Promise<SessionProof> {
  const { manifest, precision, weights, preprocessor, golden } = subject;
  await runAtLimit(run, subject);
  const known = (golden?.entries ?? []).map(({ input }) => input);
  const probes = await preprocessor.probes(known);
  const found = await findBatching(probes, {
    run,
    probesUpTo: (cost) => preprocessor.probes(known, cost),
    precision,
    problemType: manifest.problemType,
    appliedActivation: weights.facts.activation,
    tolerance: golden?.tolerance[precision],
  });
  if (found.batching === undefined) {
    throw new ModelLoadError(
      weights.path,
      'answers the same text differently from run to run: was it exported in training mode, with dropout?',
    );
  }
  if (!found.alone.some((row) => row.every(Number.isFinite))) {
    throw new ModelLoadError(weights.path, 'gives no finite number for any text: are its weights damaged?');
  }
  const looksApplied = found.alone.every(isDistribution) ? ('softmax' as const) : undefined;
  return { batching: found.batching, appliedActivation: weights.facts.activation ?? looksApplied };
}

/**
 * Compares a session with the known answers.
 * @param sampleSize how many of them; undefined: all
 * @returns undefined where there are none
 * @throws ModelLoadError that says what differs; the session's errors
 */
export async function proveAnswers<I>(
  run: Run,
  { manifest, precision, preprocessor, golden }: ProofSubject<I>,
  { batching, appliedActivation }: SessionProof,
  sampleSize?: number,
): Promise<GoldenReport | undefined> {
  if (golden === undefined) return undefined;
  const { problemType } = manifest;
  const report = await checkGolden(golden, {
    preprocessor,
    run,
    precision,
    problemType,
    batching,
    appliedActivation,
    ...(sampleSize !== undefined && { sampleSize }),
  });
  if (report.ok) return report;
  throw new ModelLoadError(
    manifest.goldenPath,
    `the ${precision} weights do not reproduce the known answers (${report.failures.join('; ')})`,
  );
}

async function runAtLimit<I>(run: Run, { weights, preprocessor }: ProofSubject<I>): Promise<void> {
  const input = await preprocessor.ofCost(Math.min(preprocessor.maxCost, MOST_COST_AT_LIMIT));
  try {
    await run([input]);
  } catch (error) {
    const outOfMemory = error instanceof SessionOutOfMemoryError;
    if (!outOfMemory && !(error instanceof SessionRunError)) throw error;
    const reason = error.cause instanceof Error ? `: ${error.cause.message}` : '';
    throw new ModelLoadError(
      weights.path,
      `${outOfMemory ? 'runs out of memory' : 'fails'} on a text of ${input.cost} tokens, though it should ` +
        `read ${preprocessor.maxCost}: lower max_position_embeddings in config.json, or VERDICT_MAX_TOKENS${reason}`,
      error,
    );
  }
}

/** Logits that add up to 1 in every row, none of them outside 0 to 1, are none. */
function isDistribution(row: Float32Array): boolean {
  const sum = row.reduce((total, value) => total + value, 0);
  return row.length > 1 && Math.abs(sum - 1) < 1e-3 && row.every((value) => value >= 0 && value <= 1);
}
