import type { BarId } from './bars.js';
import type { BenchModels } from './bench-models.js';
import type { Inputs, MixName } from './inputs/inputs.js';
import type { ProcessSet } from './process-set.js';
import type { Progress } from './progress.js';
import type { Chart } from './report/chart.js';

/** One experiment of the suite. Add it to `scenarios.ts` by one line. */
export interface Scenario {
  /** Kebab-case: the word on the command line, and the name of its result files. */
  readonly name: string;
  /** One line for `--help`. */
  readonly summary: string;
  /** The bars that its measurements may name. */
  readonly bars: readonly BarId[];
  /**
   * Measures. Processes that it started are stopped by the caller afterwards, also when it throws or is interrupted.
   *
   * @throws ScenarioSkipped where the machine lacks what it needs
   */
  run(context: ScenarioContext): Promise<Findings>;
}

/** What a scenario is given. */
export interface ScenarioContext {
  readonly models: BenchModels;
  readonly inputs: Inputs;
  /** Starts servers, load generators and references, each a process of its own. */
  readonly processes: ProcessSet;
  readonly progress: Progress;
  /** Aborted by Ctrl-C: what waits for anything but a process of `processes` has to watch it. */
  readonly signal: AbortSignal;
  /** Times that the contenders take turns. */
  readonly rounds: number;
  /** Texts of one pass of a closed loop. */
  readonly texts: number;
  /** Length of one pass of an open loop, in milliseconds; undefined: as the scenario finds right. */
  readonly durationMs: number | undefined;
  /** Length of one pass of a soak, in milliseconds; undefined: as the scenario finds right. */
  readonly soakMs: number | undefined;
  /** Threads of a session and of every reference. */
  readonly threads: number;
  /** The length mixes asked for. */
  readonly mixes: readonly MixName[];
  /** To prove that it works, in seconds: nothing measured counts. */
  readonly short: boolean;
  readonly peers: Peers;
  readonly baseline: Baseline;
}

/** Other servers to measure, as given: empty where the flag was left out. */
export interface Peers {
  readonly tei: string;
  readonly oip: string;
  readonly oipModel: string;
  readonly oipInput: string;
}

/** Where the FastAPI baseline and a Python for it are. */
export interface Baseline {
  readonly folder: string;
  readonly python: string;
}

/** What a scenario found. The caller takes the medians, judges and writes. */
export interface Findings {
  readonly measurements: readonly Measurement[];
  /** Every round's values by name, so that the medians can be checked. */
  readonly rounds: readonly Readonly<Record<string, number>>[];
  readonly charts: readonly Chart[];
  /** What else a reader needs: budgets chosen, settings of peers. */
  readonly facts?: Readonly<Record<string, string | number>>;
}

/** One number per round. */
export interface Measurement {
  /** In words, with model, load and mix. */
  readonly name: string;
  /** `x` for ratios. */
  readonly unit: string;
  readonly values: readonly number[];
  /** What each value was measured against, in any unit: if it drifts, so did the machine. */
  readonly reference?: readonly number[];
  /** The bar that the median is held against, one of the scenario's. */
  readonly bar?: BarId;
}

/** The machine lacks what the scenario needs; the message says what, and how to get it. */
export class ScenarioSkipped extends Error {
  override readonly name = 'ScenarioSkipped';
}
