import type { CacheMode } from '../../generated/verdict/v1/classification.js';
import type { BenchChild } from '../child.js';
import type { ProcessSet } from '../process-set.js';
import { processMs } from '../processor-time.js';

export const loadModes = ['unary', 'batch', 'stream'] as const;

export type LoadMode = (typeof loadModes)[number];

/** Where the load goes and what it sends. */
export interface LoadSetup {
  readonly address: string;
  readonly model: string;
  readonly texts: readonly string[];
  /** How the server's cache is used by every item. */
  readonly cache: CacheMode;
  /** Sent with every call (default: none). */
  readonly apiKey?: string;
}

/** One pass over the texts: an answer makes room for the next text. */
export interface LoadPass {
  readonly mode: LoadMode;
  /** Texts unanswered at a time. A batch call counts for its texts. */
  readonly inFlight: number;
  /** How often the texts are sent (default: once). */
  readonly repeat?: number;
  /** The first so many texts alone (default: all). */
  readonly limit?: number;
}

export interface LoadResult {
  readonly elapsedMs: number;
  readonly answered: number;
  readonly failed: number;
  readonly textsPerSecond: number;
  /** Of each text, or of each call of a batch: from the write to the answer. */
  readonly latenciesMs: Float64Array;
  /** CPU time of the load generator itself. */
  readonly clientCpuMs: number;
}

/** The texts of a pass. */
export function passTexts({ texts }: LoadSetup, { limit }: LoadPass): readonly string[] {
  return limit === undefined ? texts : texts.slice(0, limit);
}

/** What the process of the load answers a pass with. */
export type RawLoadResult = Omit<LoadResult, 'clientCpuMs' | 'textsPerSecond'>;

/** A closed loop in a process of its own. */
export class ClosedLoop {
  readonly #child: BenchChild;
  readonly #setup: LoadSetup;

  private constructor(child: BenchChild, setup: LoadSetup) {
    this.#child = child;
    this.#setup = setup;
  }

  static async start(processes: ProcessSet, setup: LoadSetup): Promise<ClosedLoop> {
    const child = processes.child('./load/closed-loop-process.js');
    await child.ask(setup);
    return new ClosedLoop(child, setup);
  }

  /** Other texts from now on. */
  async use(texts: readonly string[]): Promise<void> {
    await this.#child.ask({ ...this.#setup, texts });
  }

  /** One unary call with one of the texts: its latency in milliseconds. */
  async one(input: number): Promise<number> {
    return (await this.#child.ask<{ durationMs: number }>({ input })).durationMs;
  }

  /** @throws Error where a text got no answer, or an error for one */
  async pass(pass: LoadPass): Promise<LoadResult> {
    const before = processMs(this.#child.pid);
    const result = await this.#child.ask<RawLoadResult>(pass);
    if (result.failed > 0) throw new Error(`${result.failed} of ${result.answered} texts failed`);
    return {
      ...result,
      textsPerSecond: (1000 * result.answered) / result.elapsedMs,
      clientCpuMs: processMs(this.#child.pid) - before,
    };
  }
}
