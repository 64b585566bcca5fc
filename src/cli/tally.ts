import type { CacheOutcome } from '../client/index.js';
import { isCorrect } from './accuracy.js';
import type { RowResult } from './classify-rows.js';

const count = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** Counts the results of a run. */
export class Tally {
  readonly #cache = new Map<CacheOutcome, number>();
  readonly #failures = new Map<string, number>();
  #classified = 0;
  #failed = 0;
  #truncated = 0;
  #labelled = 0;
  #correct = 0;

  get done(): number {
    return this.#classified + this.#failed;
  }

  get failed(): number {
    return this.#failed;
  }

  add(result: RowResult): void {
    if (!result.ok) {
      this.#failed++;
      bump(this.#failures, result.error.code);
      return;
    }
    const { cache, truncated, predictions } = result.classification;
    this.#classified++;
    bump(this.#cache, cache);
    if (truncated) this.#truncated++;
    const { expected } = result.row;
    if (expected === undefined || expected.trim() === '') return;
    this.#labelled++;
    if (isCorrect(expected, predictions[0])) this.#correct++;
  }

  /** What is to be said at the end of a run of `elapsedMs`. */
  summary(elapsedMs: number): string[] {
    const seconds = elapsedMs / 1000;
    const lines = [
      `${count.format(this.done)} texts in ${seconds.toFixed(2)} s: ${count.format(this.done / seconds)} texts/s`,
    ];
    if (this.#labelled > 0) {
      const percent = ((100 * this.#correct) / this.#labelled).toFixed(2);
      lines.push(
        `accuracy   ${percent} % (${count.format(this.#correct)} of ${count.format(this.#labelled)} labelled)`,
      );
    }
    if (this.#classified > 0) lines.push(`cache      ${this.#cacheLine()}`);
    if (this.#truncated > 0) lines.push(`truncated  ${count.format(this.#truncated)}`);
    if (this.#failed > 0) lines.push(`failed     ${count.format(this.#failed)} (${listed(this.#failures)})`);
    return lines;
  }

  #cacheLine(): string {
    const get = (outcome: CacheOutcome) => this.#cache.get(outcome) ?? 0;
    const [lru, redis, computed] = [get('lru'), get('redis'), get('miss') + get('bypassed')];
    const parts = [
      `${count.format(lru + redis)} cache hits (memory ${count.format(lru)}, Redis ${count.format(redis)})`,
      `${count.format(computed)} computed`,
    ];
    if (get('coalesced') > 0) parts.push(`${count.format(get('coalesced'))} shared with another request`);
    return parts.join(', ');
  }
}

function bump<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function listed(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([name, times]) => `${name} ${count.format(times)}`).join(', ');
}
