import type { BenchModel } from '../bench-models.js';
import type { BenchChild } from '../child.js';
import type { ProcessSet } from '../process-set.js';
import type { ScenarioContext } from '../scenario.js';

/** Budgets of padded tokens that are tried; the fastest of them is the ceiling. */
const BUDGETS = [256, 512, 1024, 2048];

export interface OfflinePass {
  readonly elapsedMs: number;
  readonly texts: number;
  readonly textsPerSecond: number;
  readonly paddedTokens: number;
}

/**
 * The same ONNX file on as many threads with no server at all: every text known, sorted by length. One session has all the
 * threads, or several divide threads and texts among them, each in a process of its own.
 */
export class OfflineCeiling {
  readonly #children: readonly BenchChild[];
  /** Padded tokens of a batch; the best one after `tune`. */
  budgetTokens = BUDGETS[1] as number;

  private constructor(children: readonly BenchChild[]) {
    this.#children = children;
  }

  static async start(
    processes: ProcessSet,
    model: BenchModel,
    threads: number,
    parts = 1,
  ): Promise<OfflineCeiling> {
    const children = Array.from({ length: parts }, () => processes.child('./reference/offline-process.js'));
    const setup = { modelPath: model.onnxPath(), threads: Math.floor(threads / parts), encodings: [] };
    await Promise.all(children.map((child) => child.ask(setup)));
    return new OfflineCeiling(children);
  }

  /** Other texts from now on: dealt out in order of length, so that every part has as much to do. */
  async use(encodings: readonly Int32Array[]): Promise<void> {
    const parts = this.#children.length;
    const dealt = parts === 1 ? encodings : [...encodings].sort((a, b) => a.length - b.length);
    await Promise.all(
      this.#children.map((child, part) =>
        child.ask({ encodings: dealt.filter((_, i) => i % parts === part) }),
      ),
    );
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

  /** One text alone, of those of the first part. */
  async one(input: number): Promise<number> {
    const answer = await this.#children[0]?.ask<{ durationMs: number }>({ input });
    return answer?.durationMs ?? Number.NaN;
  }

  /** It takes as long as the part that is last. */
  async #pass(budgetTokens: number): Promise<OfflinePass> {
    const parts = await Promise.all(this.#children.map((child) => child.ask<OfflinePass>({ budgetTokens })));
    const elapsedMs = Math.max(...parts.map((part) => part.elapsedMs));
    const texts = parts.reduce((sum, part) => sum + part.texts, 0);
    const paddedTokens = parts.reduce((sum, part) => sum + part.paddedTokens, 0);
    return { elapsedMs, texts, paddedTokens, textsPerSecond: (1000 * texts) / elapsedMs };
  }
}
