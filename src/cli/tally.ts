import type { CacheOutcome } from '../../clients/typescript/src/index.js';
import { isCorrect } from './accuracy.js';
import { counted, whole } from './output/counted.js';
import type { RowResult } from './row-result.js';

/** Counts the results of a run. */
export class Tally {
  readonly #cache = new Map<CacheOutcome, number>();
  readonly #failures = new Map<string, number>();
  #classified = 0;
  #failed = 0;
  #malformed = 0;
  /** The first malformed row, in words. */
  #firstMalformed = '';
  #truncated = 0;
  #labelled = 0;
  #correct = 0;

  get done(): number {
    return this.#classified + this.#failed + this.#malformed;
  }

  get malformed(): number {
    return this.#malformed;
  }

  get failed(): number {
    return this.#failed;
  }

  add(result: RowResult): void {
    if (result.kind === 'malformed') {
      this.#malformed++;
      this.#firstMalformed ||= result.error.message;
      return;
    }
    if (result.kind === 'failed') {
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

  /** The summary of a run of `elapsedMs`. */
  summary(elapsedMs: number): string[] {
    const seconds = elapsedMs / 1000;
    const texts = this.#classified + this.#failed;
    const lines = [`${counted(texts, 'text')} in ${seconds.toFixed(2)} s: ${whole(texts / seconds)} texts/s`];
    if (this.#labelled > 0) {
      const percent = ((100 * this.#correct) / this.#labelled).toFixed(2);
      lines.push(`accuracy   ${percent} % (${whole(this.#correct)} of ${whole(this.#labelled)} labelled)`);
    }
    // Where answers came from is not told to a key without the scope.
    if (this.#classified > (this.#cache.get('unknown') ?? 0)) lines.push(`cache      ${this.#cacheLine()}`);
    if (this.#truncated > 0) lines.push(`truncated  ${whole(this.#truncated)}`);
    if (this.#failed > 0) lines.push(`failed     ${whole(this.#failed)} (${listed(this.#failures)})`);
    if (this.#malformed > 0) {
      lines.push(`malformed  ${counted(this.#malformed, 'row')} not sent; first: ${this.#firstMalformed}`);
    }
    return lines;
  }

  #cacheLine(): string {
    const get = (outcome: CacheOutcome) => this.#cache.get(outcome) ?? 0;
    const [lru, redis, computed] = [get('lru'), get('redis'), get('miss') + get('bypassed')];
    const parts = [
      `${whole(lru + redis)} cache hits (memory ${whole(lru)}, Redis ${whole(redis)})`,
      `${whole(computed)} computed`,
    ];
    if (get('coalesced') > 0) parts.push(`${whole(get('coalesced'))} shared with another request`);
    return parts.join(', ');
  }
}

function bump<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function listed(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([name, times]) => `${name} ${whole(times)}`).join(', ');
}
