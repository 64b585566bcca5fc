import type { BenchChild } from '../child.js';
import type { ProcessSet } from '../process-set.js';
import type { Target } from './clients/make-text-client.js';
import type { TextPass } from './text-load-process.js';
import type { TextPassResult } from './text-loop.js';

/** A pass in which every text was answered. */
export interface AnsweredPass extends TextPassResult {
  readonly textsPerSecond: number;
}

/** The closed loop that serves every protocol alike, in a process of its own. */
export class TextLoad {
  readonly #child: BenchChild;
  readonly #target: Target;

  private constructor(child: BenchChild, target: Target) {
    this.#child = child;
    this.#target = target;
  }

  static async start(processes: ProcessSet, target: Target, texts: readonly string[]): Promise<TextLoad> {
    const child = processes.child('./load/text-load-process.js');
    await child.ask({ target, texts });
    return new TextLoad(child, target);
  }

  /** @throws Error where a text failed, with what the first failure said */
  async pass(pass: TextPass): Promise<AnsweredPass> {
    const result = await this.#child.ask<TextPassResult>(pass);
    const answered = result.latenciesMs.length;
    if (result.failed > 0) {
      const { protocol, address } = this.#target;
      throw new Error(
        `${result.failed} texts failed at ${address} (${protocol}), the first with: ${result.firstFailure}`,
      );
    }
    return { ...result, textsPerSecond: (1000 * answered) / result.elapsedMs };
  }
}
