import type { ItemFailure, Runner } from '../../../src/batching/types.js';
import { type CostCurve, predictRunMs } from '../../../src/cost/cost-curve.js';
import type { VirtualClock } from '../../../src/simulation/virtual-clock.js';

/** What the tests submit: an item that knows its length. */
export interface Text {
  readonly name: string;
  readonly tokens: number;
}

/** A run that a test ends by hand. */
export interface PendingRun {
  readonly items: readonly Text[];
  succeed(): void;
  fail(error: Error): void;
  /** Ends with these results, however many. */
  end(values: readonly (string | ItemFailure)[]): void;
}

/** A runner whose runs end when the test says so. Answers each text with its name. */
export class ManualRunner implements Runner<Text, string> {
  readonly runs: PendingRun[] = [];
  /** Runs so far, ended ones included, by the names of their items. */
  readonly log: string[][] = [];

  run(items: readonly Text[]): Promise<{ values: readonly (string | ItemFailure)[]; runMs: number }> {
    this.log.push(items.map((item) => item.name));
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        this.runs.splice(this.runs.indexOf(run), 1);
        settle();
      };
      const run: PendingRun = {
        items,
        succeed: () => end(() => resolve({ values: items.map((item) => item.name), runMs: 1 })),
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

/** A runner whose runs take what the curve says, on the virtual clock. */
export class TimedRunner implements Runner<Text, string> {
  readonly #clock: VirtualClock;
  readonly #curve: CostCurve;

  constructor(clock: VirtualClock, curve: CostCurve) {
    this.#clock = clock;
    this.#curve = curve;
  }

  run(items: readonly Text[]): Promise<{ values: readonly string[]; runMs: number }> {
    const longest = Math.max(...items.map((item) => item.tokens));
    const runMs = predictRunMs(this.#curve, items.length, longest);
    return new Promise((resolve) => {
      this.#clock.startTimer(() => resolve({ values: items.map((item) => item.name), runMs }), runMs);
    });
  }
}
