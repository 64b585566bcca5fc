import { basename, dirname, resolve } from 'node:path';
import { openSession } from '../runtime/open-session.js';
import type { Precision } from '../runtime/types.js';
import type { Tokenizer } from '../tokenizer/types.js';
import { readGolden } from './golden.js';
import type { GoldenReport } from './golden-check.js';
import { candidatesFor } from './instance-group.js';
import { type ModelManifest, readManifest } from './manifest.js';
import { type ProofSubject, proveAnswers, proveSession, type SessionProof } from './prove-session.js';
import type { Batching } from './types.js';
import type { Weights } from './weights.js';

const OPEN_TIMEOUT_MS = 120_000;
const RUN_TIMEOUT_MS = 120_000;

export interface VerifyOptions {
  readonly loadTokenizer: (manifest: ModelManifest) => Promise<Tokenizer>;
  readonly intraOpThreads: number;
}

/** What a look at a version's folder found: all checks that could be made, in order. */
export interface VerifyReport {
  readonly ok: boolean;
  readonly checks: readonly VerifyCheck[];
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
  one_at_a_time: 'every text runs alone: its answers change with the neighbours in a batch',
} as const satisfies Record<Batching, string>;

/**
 * Checks a `<model>/<version>/` folder the way the server does at load, on the CPU and for each precision that it holds.
 * Never rejects: what goes wrong is a check that failed.
 */
export async function verifyModelDirectory(directory: string, options: VerifyOptions): Promise<VerifyReport> {
  const checks: VerifyCheck[] = [];
  const check = async <T>(name: string, run: () => Promise<[T, string]>): Promise<T | undefined> => {
    try {
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
  if (manifest === undefined) return { ok: false, checks };
  const golden = await check('golden.json', async () => {
    const found = await readGolden(manifest.goldenPath, manifest.labels);
    return [
      found,
      found === undefined ? 'none: nothing shows that answers are right' : `${found.entries.length} entries`,
    ];
  });
  const tokenizer = await check('tokenizer', async () => {
    const found = await options.loadTokenizer(manifest);
    return [found, `reads up to ${found.maxTokens} tokens, pads with ${manifest.padId ?? found.padId}`];
  });
  if (tokenizer === undefined) return { ok: false, checks };
  await check('precision', async () => {
    const candidates = candidatesFor(manifest, golden, { precision: 'auto', device: 'cpu' });
    return [candidates, `auto on the CPU tries ${candidates.join(', then ')}`];
  });
  for (const [precision, weights] of Object.entries(manifest.weights) as [Precision, Weights][]) {
    await check(`${precision} weights`, async () => [
      undefined,
      await tryWeights({ manifest, precision, weights, tokenizer, golden }, options),
    ]);
  }
  return { ok: checks.every(({ ok }) => ok), checks };
}

function describe({ labels, problemType, maxTokens, weights }: ModelManifest): string {
  const precisions = Object.keys(weights).join(', ');
  const labelCount = labels.length === 1 ? '1 label' : `${labels.length} labels`;
  return `${labelCount}, ${problemType}, at most ${maxTokens} tokens, ${precisions}`;
}

/** How wide the output is of a graph that does not say so. */
async function probeLabelCount({ path }: Weights, options: VerifyOptions): Promise<number> {
  const session = await open(path, 0, undefined, options);
  const { labelCount } = session.info;
  await session.close();
  return labelCount;
}

function open(modelPath: string, padId: number, labelCount: number | undefined, options: VerifyOptions) {
  const { intraOpThreads } = options;
  return openSession(
    { modelPath, device: 'cpu', deviceId: 0, intraOpThreads, padId, labelCount },
    { openTimeoutMs: OPEN_TIMEOUT_MS, runTimeoutMs: RUN_TIMEOUT_MS },
  );
}

async function tryWeights(subject: ProofSubject, options: VerifyOptions): Promise<string> {
  const { manifest, weights, tokenizer } = subject;
  if (weights.problem !== undefined) throw weights.problem;
  const padId = manifest.padId ?? tokenizer.padId;
  const session = await open(weights.path, padId, manifest.labels.length, options);
  try {
    const run = session.run.bind(session);
    const proof = await proveSession(run, subject);
    const report = await proveAnswers(run, subject, proof);
    const opened = `opened in ${session.info.loadMs.toFixed(0)} ms`;
    return [opened, ...told(proof), summary(report)].join('; ');
  } finally {
    await session.close();
  }
}

function told({ batching, appliedActivation }: SessionProof): string[] {
  const applied =
    appliedActivation && `its graph ends in a ${appliedActivation}: scores are taken as they are`;
  return applied === undefined ? [BATCHES[batching]] : [BATCHES[batching], applied];
}

function summary(report: GoldenReport | undefined): string {
  if (report === undefined) return 'answers unchecked';
  return `largest difference of a logit ${report.largestShift.toPrecision(3)}, ${report.tolerance} allowed`;
}
