import type { BenchModel } from '../bench-models.js';
import type { BenchChild } from '../child.js';
import type { ProcessSet } from '../process-set.js';
import type { ScenarioContext } from '../scenario.js';

/** Budgets of padded tokens that are tried; the fastest of them is the ceiling. */
const BUDGETS = [256, 512, 1024, 2048];

export interface OfflinePass {
  readonly elapsedMs: number;
  readonly textsPerSecond: number;
  readonly paddedTokens: number;
}

/** The same ONNX file on as many threads with no server at all: every text known, sorted by length. */
export class OfflineCeiling {
  readonly #child: BenchChild;
  /** Padded tokens of a batch; the best one after `tune`. */
  budgetTokens = BUDGETS[1] as number;

  private constructor(child: BenchChild) {
    this.#child = child;
  }

  static async start(
    processes: ProcessSet,
    model: BenchModel,
    threads: number,
    encodings: readonly Int32Array[] = [],
  ): Promise<OfflineCeiling> {
    const child = processes.child('./reference/offline-process.js');
    await child.ask({ modelPath: model.onnxPath(), threads, encodings });
    return new OfflineCeiling(child);
  }

  /** Other texts from now on. */
  async use(encodings: readonly Int32Array[]): Promise<void> {
    await this.#child.ask({ encodings });
  }

  /** Tries every budget, each twice and the better of the two, and keeps the fastest; keeps the default in short. */
  async tune({ progress, short }: Pick<ScenarioContext, 'progress' | 'short'>): Promise<void> {
    if (short) return;
    let best = Number.POSITIVE_INFINITY;
    for (const budgetTokens of BUDGETS) {
      const passes = [await this.#pass(budgetTokens), await this.#pass(budgetTokens)];
      const elapsedMs = Math.min(...passes.map((pass) => pass.elapsedMs));
      progress.note(`offline, batches of ${budgetTokens} padded tokens: ${(elapsedMs / 1000).toFixed(1)} s`);
      if (elapsedMs < best) {
        best = elapsedMs;
        this.budgetTokens = budgetTokens;
      }
    }
  }

  /** All texts in sorted batches. */
  pass(): Promise<OfflinePass> {
    return this.#pass(this.budgetTokens);
  }

  /** One text alone. */
  async one(input: number): Promise<number> {
    return (await this.#child.ask<{ durationMs: number }>({ input })).durationMs;
  }

  #pass(budgetTokens: number): Promise<OfflinePass> {
    return this.#child.ask<OfflinePass>({ budgetTokens });
  }
}
