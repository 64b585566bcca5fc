import type { CacheMode } from '../../generated/verdict/v1/classification.js';
import type { BenchModel } from '../bench-models.js';
import type { ScenarioContext } from '../scenario.js';
import type { ServerCpu, ServerProcess } from '../server-process.js';
import { ClosedLoop, type LoadPass, type LoadResult } from './closed-loop.js';

/** A pass as the server saw it. */
export interface ServedPass extends LoadResult {
  /** CPU time that the server spent meanwhile. */
  readonly serverCpu: ServerCpu;
  /** Tokens computed, padding included, for each token asked for; NaN where nothing was computed. */
  readonly paddingRatio: number;
}

/** A server of a model and the load for it. */
export class ServedLoad {
  readonly server: ServerProcess;
  readonly #load: ClosedLoop;

  private constructor(server: ServerProcess, load: ClosedLoop) {
    this.server = server;
    this.#load = load;
  }

  /** @param options.settings beyond those of the model */
  static async start(
    { processes, threads }: ScenarioContext,
    options: {
      readonly model: BenchModel;
      readonly texts: readonly string[];
      readonly cache: CacheMode;
      readonly settings?: Readonly<Record<string, string>>;
    },
  ): Promise<ServedLoad> {
    const { model, texts, cache, settings = {} } = options;
    const server = await processes.server({ ...model.serverSettings(threads), ...settings });
    const load = await ClosedLoop.start(processes, {
      address: server.address,
      model: model.name,
      texts,
      cache,
    });
    return new ServedLoad(server, load);
  }

  /** Other texts from now on. */
  use(texts: readonly string[]): Promise<void> {
    return this.#load.use(texts);
  }

  /** A pass that nobody else asks the server about. @throws Error where a text failed */
  load(pass: LoadPass): Promise<LoadResult> {
    return this.#load.pass(pass);
  }

  /** One unary call with one of the texts: its latency in milliseconds. */
  one(input: number): Promise<number> {
    return this.#load.one(input);
  }

  /** @throws Error where a text failed */
  async pass(pass: LoadPass): Promise<ServedPass> {
    const metricsBefore = await this.server.metrics();
    const cpuBefore = this.server.cpu();
    const result = await this.#load.pass(pass);
    const cpu = this.server.cpu();
    const metrics = await this.server.metrics();
    const grown = (name: string) => metrics.value(name) - metricsBefore.value(name);
    return {
      ...result,
      serverCpu: {
        mainMs: cpu.mainMs - cpuBefore.mainMs,
        sessionsMs: cpu.sessionsMs - cpuBefore.sessionsMs,
      },
      paddingRatio: grown('verdict_batch_padded_tokens_sum') / grown('verdict_batch_tokens_sum'),
    };
  }
}
