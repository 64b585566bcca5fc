import type { RawLoadResult } from './closed-loop.js';

/** Counts the answers of a pass, without growing while it runs. */
export class LatencyLog {
  readonly #latenciesMs: Float64Array;
  readonly #startedAt = performance.now();
  #answered = 0;
  #failed = 0;
  #entries = 0;

  /** @param capacity answers at most */
  constructor(capacity: number) {
    this.#latenciesMs = new Float64Array(capacity);
  }

  /** @param texts that the answer is for */
  add(sentAt: number, texts: number, failed: number): void {
    this.#latenciesMs[this.#entries++] = performance.now() - sentAt;
    this.#answered += texts;
    this.#failed += failed;
  }

  result(): RawLoadResult {
    return {
      elapsedMs: performance.now() - this.#startedAt,
      answered: this.#answered,
      failed: this.#failed,
      latenciesMs: this.#latenciesMs.slice(0, this.#entries),
    };
  }
}
