import { basename, dirname, resolve } from 'node:path';
import { openSession } from '../runtime/open-session.js';
import type { Precision } from '../runtime/types.js';
import type { Tokenizer } from '../tokenizer/types.js';
import { type Golden, readGolden } from './golden.js';
import { checkGolden, type GoldenReport } from './golden-check.js';
import { type ModelManifest, readManifest } from './manifest.js';

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
    const found = await readManifest(basename(dirname(path)), basename(path), path);
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
    return [found, `reads up to ${found.maxTokens} tokens, pads with ${found.padId}`];
  });
  if (tokenizer !== undefined) {
    for (const precision of Object.keys(manifest.weights) as Precision[]) {
      await check(`${precision} weights`, async () => [
        undefined,
        await tryWeights(manifest, precision, golden, tokenizer, options.intraOpThreads),
      ]);
    }
  }
  return { ok: checks.every(({ ok }) => ok), checks };
}

function describe({ labels, problemType, maxTokens, weights }: ModelManifest): string {
  const precisions = Object.keys(weights).join(', ');
  return `${labels.length} labels, ${problemType}, at most ${maxTokens} tokens, ${precisions}`;
}

async function tryWeights(
  manifest: ModelManifest,
  precision: Precision,
  golden: Golden | undefined,
  tokenizer: Tokenizer,
  intraOpThreads: number,
): Promise<string> {
  const session = await openSession(
    {
      modelPath: manifest.weights[precision] ?? '',
      device: 'cpu',
      deviceId: 0,
      intraOpThreads,
      padId: tokenizer.padId,
      labelCount: manifest.labels.length,
    },
    { openTimeoutMs: OPEN_TIMEOUT_MS, runTimeoutMs: RUN_TIMEOUT_MS },
  );
  try {
    if (golden === undefined) {
      await session.run([await tokenizer.encode({ text: 'one text' }, 'end')]);
      return `opened in ${session.info.loadMs.toFixed(0)} ms, answers unchecked`;
    }
    const run = session.run.bind(session);
    const report = await checkGolden(golden, {
      tokenizer,
      run,
      precision,
      problemType: manifest.problemType,
    });
    if (!report.ok) throw new Error(`${report.failures.join('; ')} (${summary(report)})`);
    return `opened in ${session.info.loadMs.toFixed(0)} ms, ${summary(report)}`;
  } finally {
    await session.close();
  }
}

function summary(report: GoldenReport): string {
  return `largest difference of a logit ${report.largestShift.toPrecision(3)}, ${report.tolerance} allowed`;
}
