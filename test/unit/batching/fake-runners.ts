import type { InputFailure, Runner } from '../../../src/batching/types.js';
import type { CostCurve } from '../../../src/cost/cost-curve.js';
import { seededRandom } from '../../../src/simulation/random.js';
import { SimulatedRunner } from '../../../src/simulation/simulated-runner.js';
import type { VirtualClock } from '../../../src/simulation/virtual-clock.js';

/** What the tests submit: an input that knows its length. */
export interface Text {
  readonly name: string;
  readonly tokens: number;
}

/** A run that a test ends by hand. */
export interface PendingRun {
  readonly inputs: readonly Text[];
  succeed(): void;
  fail(error: Error): void;
  /** Ends with these results, however many. */
  end(values: readonly (string | InputFailure)[]): void;
}

/** A runner whose runs end when the test says so. Answers each text with its name. */
export class ManualRunner implements Runner<Text, string> {
  readonly runs: PendingRun[] = [];
  /** Runs so far, ended ones included, by the names of their inputs. */
  readonly log: string[][] = [];

  run(inputs: readonly Text[]): Promise<{ values: readonly (string | InputFailure)[]; runMs: number }> {
    this.log.push(inputs.map((input) => input.name));
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        this.runs.splice(this.runs.indexOf(run), 1);
        settle();
      };
      const run: PendingRun = {
        inputs,
        succeed: () => end(() => resolve({ values: inputs.map((input) => input.name), runMs: 1 })),
        fail: (error) => end(() => reject(error)),
        end: (values) => end(() => resolve({ values, runMs: 1 })),
      };
      this.runs.push(run);
    });
  }

  /** The oldest run under way. */
  get current(): PendingRun {
    const [run] = this.runs;
    if (run === undefined) throw new Error('the runner is free');
    return run;
  }
}

/** A simulated session that answers each text with its name. */
export class TimedRunner implements Runner<Text, string> {
  readonly #simulated: SimulatedRunner;

  constructor(clock: VirtualClock, curve: CostCurve) {
    this.#simulated = new SimulatedRunner(clock, { curve, noise: 0 }, seededRandom(1));
  }

  async run(inputs: readonly Text[]): Promise<{ values: readonly string[]; runMs: number }> {
    const { runMs } = await this.#simulated.run(inputs);
    return { values: inputs.map((input) => input.name), runMs };
  }
}
