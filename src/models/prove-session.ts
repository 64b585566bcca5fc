import { SessionOutOfMemoryError, SessionRunError } from '../runtime/errors.js';
import type { Precision, RunResult } from '../runtime/types.js';
import type { Encoding, Tokenizer } from '../tokenizer/types.js';
import { findBatching } from './find-batching.js';
import type { Golden } from './golden.js';
import { checkGolden, type GoldenReport } from './golden-check.js';
import type { ModelManifest } from './manifest.js';
import { ModelLoadError } from './model-load-error.js';
import { inputAtLimit, probeInputs } from './probe-inputs.js';
import type { AppliedActivation, Batching } from './types.js';
import type { Weights } from './weights.js';

export interface ProofSubject {
  readonly manifest: ModelManifest;
  readonly precision: Precision;
  readonly weights: Weights;
  readonly tokenizer: Tokenizer;
  readonly golden: Golden | undefined;
}

/** What a session of these weights was found to do. The same for every session of them. */
export interface SessionProof {
  readonly batching: Batching;
  /** What the graph itself does to its logits; undefined: nothing. */
  readonly appliedActivation: AppliedActivation | undefined;
}

type Run = (encodings: readonly Encoding[]) => Promise<RunResult>;

/**
 * Tries weights on a session of theirs: on the longest text that they are said to read, on texts alone and beside each
 * other. Server and `models verify` both ask here.
 *
 * @throws ModelLoadError naming the weights and the remedy; the session's errors when it is lost
 */
export async function proveSession(run: Run, subject: ProofSubject): Promise<SessionProof> {
  const { manifest, precision, weights, tokenizer, golden } = subject;
  await runAtLimit(run, subject);
  const found = await findBatching(await probeInputs(tokenizer, golden), {
    run,
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
export async function proveAnswers(
  run: Run,
  { manifest, precision, tokenizer, golden }: ProofSubject,
  { batching, appliedActivation }: SessionProof,
  sampleSize?: number,
): Promise<GoldenReport | undefined> {
  if (golden === undefined) return undefined;
  const { problemType } = manifest;
  const report = await checkGolden(golden, {
    tokenizer,
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

async function runAtLimit(run: Run, { weights, tokenizer }: ProofSubject): Promise<void> {
  const input = await inputAtLimit(tokenizer);
  try {
    await run([input]);
  } catch (error) {
    const outOfMemory = error instanceof SessionOutOfMemoryError;
    if (!outOfMemory && !(error instanceof SessionRunError)) throw error;
    const reason = error.cause instanceof Error ? `: ${error.cause.message}` : '';
    throw new ModelLoadError(
      weights.path,
      `${outOfMemory ? 'runs out of memory' : 'fails'} on a text of ${input.ids.length} tokens, though it is said to ` +
        `read ${tokenizer.maxTokens}: lower max_position_embeddings in config.json, or VERDICT_MAX_TOKENS${reason}`,
      error,
    );
  }
}

/** Logits that add up to 1 in every row, none of them outside 0 to 1, are none. */
function isDistribution(row: Float32Array): boolean {
  const sum = row.reduce((total, value) => total + value, 0);
  return row.length > 1 && Math.abs(sum - 1) < 1e-3 && row.every((value) => value >= 0 && value <= 1);
}
