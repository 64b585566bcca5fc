import type { Clock } from '../batching/clock.js';
import type { Runner } from '../batching/types.js';
import { type CostCurve, predictRunMs } from '../cost/cost-curve.js';
import { normal, type Random } from './random.js';
import type { Arrival } from './types.js';

export interface SimulatedRunnerOptions {
  /** What runs really cost there, whatever the batcher believes. */
  readonly curve: CostCurve;
  /** Deviation of the logarithm of the run time: 0.1 is about 10 %; 0: runs take what the curve says. */
  readonly noise: number;
}

/** A session that computes nothing and takes the time that it would have taken. */
export class SimulatedRunner implements Runner<Arrival, undefined> {
  readonly #clock: Clock;
  readonly #options: SimulatedRunnerOptions;
  readonly #random: Random;
  #running = false;

  constructor(clock: Clock, options: SimulatedRunnerOptions, random: Random) {
    this.#clock = clock;
    this.#options = options;
    this.#random = random;
  }

  get isBusy(): boolean {
    return this.#running;
  }

  run(items: readonly Arrival[]): Promise<{ readonly values: readonly undefined[]; readonly runMs: number }> {
    const { curve, noise } = this.#options;
    let longest = 0;
    for (const { tokens } of items) longest = Math.max(longest, tokens);
    const factor = noise === 0 ? 1 : Math.exp(noise * normal(this.#random));
    const runMs = predictRunMs(curve, items.length, longest) * factor;
    this.#running = true;
    return new Promise((resolve) => {
      this.#clock.startTimer(() => {
        this.#running = false;
        resolve({ values: items.map(() => undefined), runMs });
      }, runMs);
    });
  }
}
