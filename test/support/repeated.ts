import { until } from './until.js';

/** Does one thing again and again, until it is stopped, and keeps what went wrong. */
export class Repeated {
  /** How often it has been done. */
  times = 0;
  readonly failures: string[] = [];
  #stopped = false;
  readonly #done: Promise<void>;

  /** @param step once; what it throws is a failure */
  constructor(step: () => Promise<void>) {
    this.#done = this.#run(step);
  }

  /** Waits until what is under way now is over: what comes afterwards began after this call. */
  async settled(): Promise<void> {
    const { times } = this;
    await until('the step under way is over', () => this.times > times);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }

  async #run(step: () => Promise<void>): Promise<void> {
    while (!this.#stopped) {
      try {
        await step();
      } catch (error) {
        this.failures.push(String(error));
      }
      this.times++;
    }
  }
}
