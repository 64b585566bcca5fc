import { chooseBudgetTokens } from '../../src/cost/choose-budget-tokens.js';
import type { CostCurve, CostSample } from '../../src/cost/cost-curve.js';
import { fitCostCurve } from '../../src/cost/fit-cost-curve.js';
import { calibrate } from '../../src/models/calibrate.js';
import { readGolden } from '../../src/models/golden.js';
import { checkGolden, type GoldenReport } from '../../src/models/golden-check.js';
import type { ModelManifest } from '../../src/models/manifest.js';
import { TextPreprocessor } from '../../src/preprocessing/text-preprocessor.js';
import { openSession } from '../../src/runtime/open-session.js';
import type { Precision, Session, SessionSpec } from '../../src/runtime/types.js';
import type { Tokenizer } from '../../src/tokenizer/types.js';

const OPEN_TIMEOUT_MS = 300_000;
const RUN_TIMEOUT_MS = 120_000;
const CALIBRATION_TIME_MS = 10_000;
const SWEEP_TIME_MS = 20_000;
const SWEEP_TOKENS = 32;
const LARGEST_BUDGET_TOKENS = 32_768;

/** What one session of a precision does, without a server around it. */
export interface SessionTrial {
  readonly precision: Precision;
  readonly loadMs: number;
  /** Undefined: the model has no golden.json. */
  readonly golden: GoldenReport | undefined;
  /** What the server's own calibration measures. */
  readonly calibration: readonly CostSample[];
  readonly curve: CostCurve | undefined;
  /** Batches of 32 tokens, doubling, past the sizes that the calibration tries: a GPU's knee may lie there. */
  readonly sweep: readonly CostSample[];
  /** Where the sweep's throughput is within 5 % of its best. */
  readonly kneeTokens: number | undefined;
}

/** Opens a session, compares it with the recorded answers and times runs of growing shapes. */
export async function trySession(
  manifest: ModelManifest,
  precision: Precision,
  tokenizer: Tokenizer,
  spec: Pick<SessionSpec, 'device' | 'deviceId' | 'intraOpThreads'>,
): Promise<SessionTrial> {
  const preprocessor = new TextPreprocessor(tokenizer, manifest);
  const session = await openSession(
    {
      ...spec,
      modelPath: manifest.weights[precision]?.path ?? '',
      feeds: preprocessor.feeds,
      labelCount: manifest.labels.length,
    },
    { openTimeoutMs: OPEN_TIMEOUT_MS, runTimeoutMs: RUN_TIMEOUT_MS },
  );
  try {
    const recorded = await readGolden(manifest.goldenPath, manifest.labels);
    const golden =
      recorded &&
      (await checkGolden(recorded, {
        preprocessor,
        run: (batch) => session.run(batch),
        precision,
        problemType: manifest.problemType,
        batching: 'padded',
        appliedActivation: undefined,
      }));
    const calibration = await calibrate((batch) => session.run(batch), preprocessor, {
      timeLimitMs: CALIBRATION_TIME_MS,
      maxItems: Number.POSITIVE_INFINITY,
    });
    const curve = fitCostCurve(calibration);
    const sweep = await sweepBatches(session, preprocessor);
    const swept = fitCostCurve(sweep);
    const kneeTokens =
      swept &&
      chooseBudgetTokens(swept, sweep, {
        typicalTokens: SWEEP_TOKENS,
        minTokens: SWEEP_TOKENS,
        maxTokens: LARGEST_BUDGET_TOKENS,
      });
    return { precision, loadMs: session.info.loadMs, golden, calibration, curve, sweep, kneeTokens };
  } finally {
    await session.close();
  }
}

async function sweepBatches(session: Session, preprocessor: TextPreprocessor): Promise<CostSample[]> {
  const encoded = await preprocessor.ofCost(SWEEP_TOKENS);
  const samples: CostSample[] = [];
  const startedAt = performance.now();
  for (let items = 1; items * SWEEP_TOKENS <= LARGEST_BUDGET_TOKENS; items *= 2) {
    const batch = Array.from({ length: items }, () => encoded);
    await session.run(batch);
    let runMs = Number.POSITIVE_INFINITY;
    for (let run = 0; run < 3; run++) runMs = Math.min(runMs, (await session.run(batch)).runMs);
    samples.push({ items, tokens: SWEEP_TOKENS, runMs });
    if (performance.now() - startedAt > SWEEP_TIME_MS) break;
  }
  return samples;
}
