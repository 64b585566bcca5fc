import type { BatcherOptions } from '../../../src/batching/types.js';
import type { CostCurve } from '../../../src/cost/cost-curve.js';
import { seededRandom } from '../../../src/simulation/random.js';
import {
  Simulation,
  type SimulationHooks,
  type SimulationOptions,
  type SimulationReport,
} from '../../../src/simulation/simulation.js';
import type { Source } from '../../../src/simulation/types.js';

/** About what a DistilBERT-base fp32 run costs on two CPU cores. */
export const baseCurve: CostCurve = { baseMs: 4, msPerToken: 0.55, msPerTokenSquared: 0.0002 };

interface Choice extends Partial<Omit<SimulationOptions, 'batching' | 'runners'>> {
  readonly batching?: Partial<BatcherOptions>;
  readonly curve?: CostCurve;
  readonly runners?: number;
  readonly noise?: number;
}

/** Simulates with the server's defaults but for what the test chooses. */
export function simulated(
  { batching, curve = baseCurve, runners = 1, noise = 0, ...rest }: Choice,
  sources: readonly Source[],
  hooks: SimulationHooks = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<SimulationReport> {
  const simulation = new Simulation(
    {
      batching: {
        policy: 'length',
        budgetTokens: 512,
        maxBatchItems: 256,
        maxQueueItems: 4_096,
        maxQueueTokens: 524_288,
        maxDelayMs: 0,
        maxRunMs: 250,
        maxRunPercent: 25,
        maxAgeMs: 1_000,
        lookAhead: 512,
        interactiveWeight: 4,
        noRunnerGraceMs: 10_000,
        costCurve: curve,
        ...batching,
      },
      runners: { count: runners, curve, noise },
      durationMs: Number.POSITIVE_INFINITY,
      maxArrivals: Number.POSITIVE_INFINITY,
      warmUpMs: 0,
      random: seededRandom(1),
      ...rest,
    },
    hooks,
  );
  return simulation.run(sources, signal);
}
