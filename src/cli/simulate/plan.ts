import type { BatcherOptions } from '../../batching/types.js';
import type { CostCurve } from '../../cost/cost-curve.js';
import { closedLoop } from '../../simulation/closed-loop.js';
import { drawLengths } from '../../simulation/length-mix.js';
import { poissonArrivals } from '../../simulation/poisson-arrivals.js';
import { seededRandom } from '../../simulation/random.js';
import { replay, type TracedInput } from '../../simulation/replay.js';
import { Simulation, type SimulationHooks, type SimulationReport } from '../../simulation/simulation.js';
import type { Source } from '../../simulation/types.js';
import { UsageError } from '../usage-error.js';
import { type PolicyChoice, readLengths } from './read-options.js';
import type { SimulateValues } from './simulate-flags.js';

/** The simulated sessions. */
export interface Machine {
  readonly curve: CostCurve;
  readonly budgetTokens: number;
  readonly runners: number;
}

const DEFAULT_DEADLINE_MS = 30_000;
const DEFAULT_DURATION_S = 60;
const NO_RUNNER_GRACE_MS = 10_000;
const DEFAULT_IN_FLIGHT = 64;

/** Everything simulated at once is held in memory. */
const MOST_RUNNERS = 10_000;
const MOST_IN_FLIGHT = 1_000_000;

/** @throws UsageError if the flags contradict each other */
export function checkLoad(values: SimulateValues): void {
  const { rate, streams, trace, speed, 'p99-ms': p99Ms, 'warm-up-s': warmUp = 0 } = values;
  if (rate === undefined && streams === undefined && trace === undefined && p99Ms === undefined) {
    throw new UsageError(
      'give a load with --rate, --streams or --trace, or find the highest rate with --p99-ms',
    );
  }
  if (p99Ms !== undefined && (rate ?? trace) !== undefined) {
    throw new UsageError('--p99-ms finds the rate, so it cannot be combined with --rate or --trace');
  }
  if (values.runners !== undefined && values.runners > MOST_RUNNERS) {
    throw new UsageError(`--runners must be at most ${MOST_RUNNERS}; got ${values.runners}`);
  }
  const inFlight = (streams ?? 0) * (values['in-flight'] ?? DEFAULT_IN_FLIGHT);
  if (inFlight > MOST_IN_FLIGHT) {
    throw new UsageError(`--streams times --in-flight must be at most ${MOST_IN_FLIGHT}; got ${inFlight}`);
  }
  if (speed !== undefined && trace === undefined) throw new UsageError('--speed needs --trace');
  if (warmUp >= durationMs(values) / 1_000) {
    throw new UsageError(`--warm-up-s must be less than --duration-s; got ${warmUp}`);
  }
}

/** One simulation of one policy. */
export async function simulate(
  values: SimulateValues,
  machine: Machine,
  choice: PolicyChoice,
  trace: readonly TracedInput[],
  signal: AbortSignal,
  hooks: SimulationHooks = {},
): Promise<SimulationReport> {
  // Each kind of randomness has its own generator, so that policies get the same arrivals.
  const seed = (values.seed ?? 1) * 4;
  const simulation = new Simulation(
    {
      batching: batcherOptions(values, machine, choice),
      runners: { count: machine.runners, curve: machine.curve, noise: values.noise ?? 0 },
      durationMs: durationMs(values),
      maxArrivals: values.items ?? Number.POSITIVE_INFINITY,
      warmUpMs: (values['warm-up-s'] ?? 0) * 1_000,
      random: seededRandom(seed),
    },
    hooks,
  );
  return simulation.run(sources(values, trace, seed), signal);
}

/** Most inputs of one batch. */
export function maxItems(values: SimulateValues, choice: PolicyChoice): number {
  return choice.maxItems ?? values['max-items'] ?? 256;
}

function batcherOptions(values: SimulateValues, machine: Machine, choice: PolicyChoice): BatcherOptions {
  return {
    policy: choice.policy,
    budgetTokens: machine.budgetTokens,
    maxBatchItems: maxItems(values, choice),
    maxQueueItems: values['max-queue-items'] ?? 4096,
    maxQueueTokens: values['max-queue-tokens'] ?? 524_288,
    maxDelayMs: values['max-delay-ms'] ?? (choice.policy === 'window' ? 10 : 0),
    maxRunMs: values['max-run-ms'] ?? 250,
    maxRunPercent: values['max-run-percent'] ?? 25,
    maxAgeMs: values['max-age-ms'] ?? 1_000,
    lookAhead: values['look-ahead'] ?? 512,
    interactiveWeight: values['interactive-weight'] ?? 4,
    noRunnerGraceMs: NO_RUNNER_GRACE_MS,
    costCurve: machine.curve,
  };
}

function sources(values: SimulateValues, trace: readonly TracedInput[], seed: number): Source[] {
  const { rate, streams, lengths = 'tight' } = values;
  const found: Source[] = [];
  if (rate !== undefined) {
    const length = drawLengths(readLengths('lengths', lengths), seededRandom(seed + 1));
    const deadlineMs = values['deadline-ms'] ?? DEFAULT_DEADLINE_MS;
    const template = { serviceClass: 'interactive', whenFull: 'refuse', deadlineMs } as const;
    found.push(poissonArrivals(rate, template, length, seededRandom(seed + 2)));
  }
  if (streams !== undefined) {
    const mix = readLengths('stream-lengths', values['stream-lengths'] ?? lengths);
    const deadlineMs = values['stream-deadline-ms'] ?? DEFAULT_DEADLINE_MS;
    const template = { serviceClass: 'bulk', whenFull: 'wait', deadlineMs } as const;
    found.push(
      closedLoop(
        streams,
        values['in-flight'] ?? DEFAULT_IN_FLIGHT,
        template,
        drawLengths(mix, seededRandom(seed + 3)),
      ),
    );
  }
  if (trace.length > 0) found.push(replay(trace, values.speed ?? 1));
  return found;
}

/** A trace ends by itself, and so does a given number of inputs. */
function durationMs(values: SimulateValues): number {
  const ends = values.trace !== undefined || values.items !== undefined;
  const preset = ends ? Number.POSITIVE_INFINITY : DEFAULT_DURATION_S;
  return (values['duration-s'] ?? preset) * 1_000;
}
