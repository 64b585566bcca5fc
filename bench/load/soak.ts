import type { BenchChild } from '../child.js';
import type { ProcessSet } from '../process-set.js';

/** Whom to ask, and with what. */
export interface SoakSetup {
  readonly address: string;
  readonly model: string;
  readonly texts: readonly string[];
}

/** A closed loop over streams for a while. */
export interface SoakRun {
  readonly durationMs: number;
  readonly streams: number;
  readonly inFlightPerStream: number;
  /**
   * What the texts do to the cache. `bypass`: nothing. `hit`: each is asked for again and again. `churn`: every other text
   * is new, and the one after it was new a while ago, so that a full cache keeps evicting and keeps being hit.
   */
  readonly cache: 'bypass' | 'hit' | 'churn';
}

export interface SoakResult {
  /** Texts answered within the duration. */
  readonly answered: number;
  readonly failed: number;
  readonly textsPerSecond: number;
}

/** ClassifyStream for as long as asked, from a process of its own that remembers nothing but counts. */
export class Soak {
  readonly #child: BenchChild;

  private constructor(child: BenchChild) {
    this.#child = child;
  }

  static async start(processes: ProcessSet, setup: SoakSetup): Promise<Soak> {
    const child = processes.child('./load/soak-process.js');
    await child.ask(setup);
    return new Soak(child);
  }

  /** @throws Error where a text failed */
  async run(run: SoakRun): Promise<SoakResult> {
    const { answered, failed } = await this.#child.ask<{ answered: number; failed: number }>(run);
    if (failed > 0) throw new Error(`${failed} of ${answered + failed} texts failed`);
    return { answered, failed, textsPerSecond: (1000 * answered) / run.durationMs };
  }
}
