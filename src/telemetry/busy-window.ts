import type { BusyReadings } from './types.js';

/** The share of the last `spanMs` that a model's sessions spent in runs, from samples of a running total. */
export class BusyWindow {
  readonly #samples: { readonly at: number; readonly busyMs: number }[] = [];

  constructor(
    private readonly readings: BusyReadings,
    private readonly spanMs: number,
  ) {}

  /** Takes a sample; those that the span no longer needs are forgotten. */
  sample(now: number): void {
    const samples = this.#samples;
    samples.push({ at: now, busyMs: this.readings.busyMs() });
    // The one just outside stays: it is where the span begins.
    while (samples[1] !== undefined && samples[1].at <= now - this.spanMs) samples.shift();
  }

  /** From 0, idle, to 1, every session always in a run. */
  ratio(now: number): number {
    const [first] = this.#samples;
    const instances = this.readings.instances();
    if (first === undefined || now <= first.at || instances === 0) return 0;
    const busyMs = this.readings.busyMs() - first.busyMs;
    return Math.min(1, Math.max(0, busyMs / ((now - first.at) * instances)));
  }
}
