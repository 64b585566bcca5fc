import type { BusyReadings } from './types.js';

interface Sample {
  readonly at: number;
  readonly busyMs: number;
  readonly waitMs: number;
}

/** How busy a model's sessions were in the last `spanMs`, and how long the wait for them was, from regular samples. */
export class BusyWindow {
  readonly #samples: Sample[] = [];

  constructor(
    private readonly readings: BusyReadings,
    private readonly spanMs: number,
  ) {}

  /** Takes a sample, and drops those that the span no longer needs. */
  sample(now: number): void {
    const samples = this.#samples;
    samples.push({ at: now, busyMs: this.readings.busyMs(), waitMs: this.readings.predictedWaitMs() });
    // Keep the sample just outside: the span begins there.
    while (samples[1] !== undefined && samples[1].at <= now - this.spanMs) samples.shift();
  }

  /** The share of the span that the sessions spent in runs: from 0, idle, to 1, every session always in a run. */
  ratio(now: number): number {
    const [first] = this.#samples;
    const instances = this.readings.instances();
    if (first === undefined || now <= first.at || instances === 0) return 0;
    const busyMs = this.readings.busyMs() - first.busyMs;
    return Math.min(1, Math.max(0, busyMs / ((now - first.at) * instances)));
  }

  /** The predicted wait for a session: the mean of the span's samples. */
  meanWaitMs(): number {
    const samples = this.#samples;
    return samples.length === 0 ? 0 : samples.reduce((sum, { waitMs }) => sum + waitMs, 0) / samples.length;
  }

  /**
   * The larger of the busy share and the wait divided by its objective. 1 is full; a value above 1 says by how much the
   * wait is too long, which the busy share cannot.
   */
  utilization(now: number, objectiveMs: number): number {
    return Math.max(this.ratio(now), this.meanWaitMs() / objectiveMs);
  }
}
