import type { Clock } from '../batching/clock.js';
import type { Runner } from '../batching/types.js';
import { type CostCurve, predictRunMs } from '../cost/cost-curve.js';
import { normal, type Random } from './random.js';
import type { SimulatedInput } from './types.js';

export interface SimulatedRunnerOptions {
  /** The true cost of runs there, whatever the batcher believes. */
  readonly curve: CostCurve;
  /** Deviation of the logarithm of the run time: 0.1 is about 10 %; 0: runs take exactly the time of the curve. */
  readonly noise: number;
}

/** A session that computes nothing but takes as long as a real one. */
export class SimulatedRunner implements Runner<SimulatedInput, undefined> {
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

  run(
    inputs: readonly Pick<SimulatedInput, 'tokens'>[],
  ): Promise<{ readonly values: readonly undefined[]; readonly runMs: number }> {
    const { curve, noise } = this.#options;
    let longest = 0;
    for (const { tokens } of inputs) longest = Math.max(longest, tokens);
    const factor = noise === 0 ? 1 : Math.exp(noise * normal(this.#random));
    const runMs = predictRunMs(curve, inputs.length, longest) * factor;
    this.#running = true;
    return new Promise((resolve) => {
      this.#clock.startTimer(() => {
        this.#running = false;
        resolve({ values: inputs.map(() => undefined), runMs });
      }, runMs);
    });
  }
}
