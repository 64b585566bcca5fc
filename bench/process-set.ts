import { BenchChild } from './child.js';
import { ServerProcess, type ServerProcessOptions } from './server-process.js';

/** A process of the bench that can be stopped, more than once. */
export interface Stoppable {
  stop(): Promise<void>;
}

/** The processes of one scenario, so that none outlives it. */
export class ProcessSet {
  readonly #signal: AbortSignal;
  readonly #running: Stoppable[] = [];

  /** @param signal ends the wait for a server that starts */
  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /**
   * A Verdict server.
   *
   * @param settings environment variables (`VERDICT_*`)
   * @param options see `ServerProcess.start`
   */
  async server(
    settings: Readonly<Record<string, string>>,
    options: ServerProcessOptions = {},
  ): Promise<ServerProcess> {
    return this.add(await ServerProcess.start(settings, this.#signal, options));
  }

  /**
   * A compiled file of the bench that serves its parent.
   *
   * @param file relative to bench/, such as `./reference/echo-server.js`
   */
  child(file: string): BenchChild {
    return this.add(BenchChild.start(file));
  }

  /** Any other process, to be stopped with the rest. */
  add<T extends Stoppable>(process: T): T {
    this.#running.push(process);
    return process;
  }

  /** Stops them, the youngest first. */
  async stopAll(): Promise<void> {
    for (const process of this.#running.splice(0).reverse()) await process.stop();
  }
}
