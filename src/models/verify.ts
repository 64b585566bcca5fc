import { basename, dirname, resolve } from 'node:path';
import type { Preprocessor } from '../preprocessing/preprocessor.js';
import { textFeeds } from '../preprocessing/text-preprocessor.js';
import type { Feed } from '../runtime/feeds.js';
import { openSession } from '../runtime/open-session.js';
import type { Precision } from '../runtime/types.js';
import type { TextInput } from '../tokenizer/types.js';
import { readGolden } from './golden.js';
import type { GoldenReport } from './golden-check.js';
import { candidatesFor } from './instance-group.js';
import { type ModelManifest, readManifest } from './manifest.js';
import { type MeasuredSpeed, measureSpeed } from './measure-speed.js';
import { type ProofSubject, proveAnswers, proveSession, type SessionProof } from './prove-session.js';
import type { Batching } from './types.js';
import type { Weights } from './weights.js';

const OPEN_TIMEOUT_MS = 120_000;
const RUN_TIMEOUT_MS = 120_000;

export interface VerifyOptions {
  readonly loadPreprocessor: (manifest: ModelManifest) => Promise<Preprocessor<TextInput>>;
  readonly intraOpThreads: number;
  /** Whether speed and memory are measured too: takes a second for each precision. Default: false. */
  readonly measures?: boolean;
  /** Ends the session that is being tried; what has not been tried yet counts as failed. */
  readonly signal?: AbortSignal | undefined;
}

/** What a look at a version's folder found: all checks that could be made, in order. */
export interface VerifyReport {
  readonly ok: boolean;
  readonly checks: readonly VerifyCheck[];
  /** Undefined where the configuration cannot be read. */
  readonly manifest: ModelManifest | undefined;
  /** Of each precision that passed. */
  readonly weights: readonly VerifiedWeights[];
}

/** What a session of one precision's weights was found to do. */
export interface VerifiedWeights extends SessionProof {
  readonly precision: Precision;
  /** Undefined: no answers are known. */
  readonly golden: GoldenReport | undefined;
  /** Undefined where it was not measured. */
  readonly speed: MeasuredSpeed | undefined;
}

export interface VerifyCheck {
  readonly name: string;
  readonly ok: boolean;
  /** What was found, or what is wrong. */
  readonly detail: string;
}

const BATCHES = {
  padded: 'any texts share a batch',
  equal_length: 'only texts of one length share a batch: its answers change with padding',
  one_at_a_time: 'every text runs alone: its answers change with the other inputs in a batch',
} as const satisfies Record<Batching, string>;

/**
 * Checks a `<model>/<version>/` folder the way the server does at load, on the CPU and for each precision that it holds.
 * Never rejects: what goes wrong is a check that failed.
 */
export async function verifyModelDirectory(directory: string, options: VerifyOptions): Promise<VerifyReport> {
  const checks: VerifyCheck[] = [];
  const check = async <T>(name: string, run: () => Promise<[T, string]>): Promise<T | undefined> => {
    try {
      options.signal?.throwIfAborted();
      const [value, detail] = await run();
      checks.push({ name, ok: true, detail });
      return value;
    } catch (error) {
      checks.push({ name, ok: false, detail: error instanceof Error ? error.message : String(error) });
      return undefined;
    }
  };
  const path = resolve(directory);
  const manifest = await check('manifest', async () => {
    const found = await readManifest(basename(dirname(path)), basename(path), path, {
      probeLabelCount: (weights) => probeLabelCount(weights, options),
    });
    return [found, describe(found)];
  });
  const verified: VerifiedWeights[] = [];
  const report = (ok: boolean): VerifyReport => ({ ok, checks, manifest, weights: verified });
  if (manifest === undefined) return report(false);
  const golden = await check('golden.json', async () => {
    const found = await readGolden(manifest.goldenPath, manifest.labels);
    return [
      found,
      found === undefined
        ? 'none: nothing shows that its answers are right'
        : `${found.entries.length} entries`,
    ];
  });
  const preprocessor = await check('tokenizer', async () => {
    const found = await options.loadPreprocessor(manifest);
    const [ids] = found.feeds;
    const padding = ids?.kind === 'ragged' ? `, pads with ${ids.pad}` : '';
    return [found, `reads up to ${found.maxCost} tokens${padding}`];
  });
  if (preprocessor === undefined) return report(false);
  await check('precision', async () => {
    const candidates = candidatesFor(manifest, golden, { precision: 'auto', device: 'cpu' });
    return [candidates, `auto on the CPU tries ${candidates.join(', then ')}`];
  });
  for (const [precision, weights] of Object.entries(manifest.weights) as [Precision, Weights][]) {
    await check(`${precision} weights`, async () => {
      const tried = await tryWeights({ manifest, precision, weights, preprocessor, golden }, options);
      verified.push(tried.weights);
      return [undefined, tried.detail];
    });
  }
  return report(checks.every(({ ok }) => ok));
}

function describe({ labels, problemType, maxTokens, weights }: ModelManifest): string {
  const precisions = Object.keys(weights).join(', ');
  const labelCount = labels.length === 1 ? '1 label' : `${labels.length} labels`;
  return `${labelCount}, ${problemType}, at most ${maxTokens} tokens, ${precisions}`;
}

/** How wide the output is of a graph that does not say so. */
async function probeLabelCount({ path }: Weights, options: VerifyOptions): Promise<number> {
  const session = await open(path, textFeeds(0), undefined, options);
  const { labelCount } = session.info;
  await session.close();
  return labelCount;
}

function open(
  modelPath: string,
  feeds: readonly Feed[],
  labelCount: number | undefined,
  options: VerifyOptions,
) {
  const { intraOpThreads, signal } = options;
  return openSession(
    { modelPath, device: 'cpu', deviceId: 0, intraOpThreads, feeds, labelCount },
    {
      openTimeoutMs: OPEN_TIMEOUT_MS,
      runTimeoutMs: RUN_TIMEOUT_MS,
      ...(signal !== undefined && { signal }),
    },
  );
}

async function tryWeights(
  subject: ProofSubject<TextInput>,
  options: VerifyOptions,
): Promise<{ readonly weights: VerifiedWeights; readonly detail: string }> {
  const { manifest, precision, weights, preprocessor } = subject;
  if (weights.problem !== undefined) throw weights.problem;
  const session = await open(weights.path, preprocessor.feeds, manifest.labels.length, options);
  const { signal } = options;
  // A run cannot be given up, only its process.
  const giveUp = () => session.kill('given up');
  signal?.addEventListener('abort', giveUp, { once: true });
  try {
    const run = session.run.bind(session);
    const proof = await proveSession(run, subject);
    const golden = await proveAnswers(run, subject, proof);
    const speed =
      options.measures === true ? await measureSpeed(session, preprocessor, proof.batching) : undefined;
    const opened = `opened in ${session.info.loadMs.toFixed(0)} ms`;
    return {
      weights: { precision, ...proof, golden, speed },
      detail: [opened, ...told(proof), summary(golden)].join('; '),
    };
  } finally {
    signal?.removeEventListener('abort', giveUp);
    await session.close(signal);
  }
}

function told({ batching, appliedActivation }: SessionProof): string[] {
  const applied =
    appliedActivation && `its graph ends in a ${appliedActivation}: its scores are used unchanged`;
  return applied === undefined ? [BATCHES[batching]] : [BATCHES[batching], applied];
}

function summary(report: GoldenReport | undefined): string {
  if (report === undefined) return 'answers unchecked';
  return `largest difference of a logit is ${report.largestShift.toPrecision(3)}; ${report.tolerance} is allowed`;
}
