import { setTimeout as delay } from 'node:timers/promises';
import { VerdictClient } from '../../clients/typescript/src/index.js';

/** A caller who asks one thing after the other, each with a deadline, and notes what became of it. */
export class HealthyCaller {
  readonly failures: string[] = [];
  answered = 0;
  readonly #client: VerdictClient;
  readonly #done: Promise<void>;
  readonly #stopping = new AbortController();

  constructor(
    address: string,
    { everyMs, timeoutMs, apiKey }: { everyMs: number; timeoutMs: number; apiKey?: string },
  ) {
    this.#client = new VerdictClient({ address, apiKey, retry: false });
    this.#done = this.#run(everyMs, timeoutMs);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#done;
    this.#client.close();
  }

  async #run(everyMs: number, timeoutMs: number): Promise<void> {
    for (let n = 0; !this.#stopping.signal.aborted; n++) {
      try {
        await this.#client.classify(`the well behaved caller says ${n}`, { timeoutMs, cache: 'bypass' });
        this.answered++;
      } catch (error) {
        this.failures.push(String(error));
      }
      await delay(everyMs);
    }
  }
}
