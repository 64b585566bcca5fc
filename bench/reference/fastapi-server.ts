import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from '../free-port.js';
import { killAtExit } from '../kill-at-exit.js';
import { MetricsPage } from '../metrics-page.js';
import { ScenarioSkipped } from '../scenario.js';

const START_TIMEOUT_MS = 120_000;
const POLL_MS = 50;
const MODULES = ['fastapi', 'uvicorn', 'pydantic', 'redis', 'prometheus_client', 'torch', 'transformers'];

/**
 * Forward passes block the baseline's event loop, so its Redis client takes its own lateness for Redis's and fails
 * requests. With patience it answers them all.
 */
const PATIENT_REDIS = 'socket_connect_timeout=60&socket_timeout=60';

/** Where the baseline is, and what it serves. */
export interface FastApiOptions {
  /** The folder of its server.py. */
  readonly baselineFolder: string;
  /** A Python that has its requirements. */
  readonly python: string;
  /** config.json, model.safetensors, tokenizer.json. */
  readonly modelDirectory: string;
  /** torch's threads. */
  readonly threads: number;
  /** Where it caches; left out: nowhere. */
  readonly redisUrl?: string;
}

/** The FastAPI + Transformers baseline in a process of its own, as its README starts it. */
export class FastApiServer {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  /** By default the server calls its model after the folder. */
  readonly #modelName: string;
  readonly address: string;

  private constructor(child: ChildProcess, address: string, modelName: string) {
    this.#child = child;
    this.#exited = once(child, 'exit');
    this.address = address;
    this.#modelName = modelName;
  }

  /**
   * @throws ScenarioSkipped that names what is missing: the folder, the weights, Python or its packages
   * @throws Error where it ends or does not answer in time
   */
  static async start(options: FastApiOptions, signal: AbortSignal): Promise<FastApiServer> {
    await assertAvailable(options);
    const { baselineFolder, python, modelDirectory, threads, redisUrl } = options;
    const port = await freePort();
    const child = spawn(
      python,
      [
        '-m',
        'uvicorn',
        'server:app',
        '--host',
        '127.0.0.1',
        '--port',
        String(port),
        '--log-level',
        'warning',
      ],
      {
        cwd: baselineFolder,
        stdio: ['ignore', 'ignore', 'inherit'],
        env: {
          PATH: process.env.PATH,
          PYTHONDONTWRITEBYTECODE: '1',
          TRANSFORMERS_OFFLINE: '1',
          TQDM_DISABLE: '1',
          TRANSFORMERS_VERBOSITY: 'error',
          MODEL_DIR: modelDirectory,
          THREADS: String(threads),
          ...(redisUrl === undefined ? {} : { REDIS_URL: `${redisUrl}?${PATIENT_REDIS}` }),
        },
      },
    );
    killAtExit(child);
    const server = new FastApiServer(child, `127.0.0.1:${port}`, basename(modelDirectory));
    try {
      await server.#untilHealthy(signal);
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** The key in Redis of its answer to a text. */
  cacheKey(text: string): string {
    return `pred:${this.#modelName}:${text}`;
  }

  /** Texts answered since the start, by where the answer came from. */
  async counts(): Promise<{ readonly cacheHits: number; readonly computed: number }> {
    const page = new MetricsPage(await (await fetch(`http://${this.address}/metrics`)).text());
    const count = (status: string) => page.value('inference_requests_total', { status });
    return { cacheHits: count('cache_hit'), computed: count('success') };
  }

  /** SIGTERM, and waits for the end of it. */
  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGTERM');
    await this.#exited;
  }

  async #untilHealthy(signal: AbortSignal): Promise<void> {
    const giveUpAt = performance.now() + START_TIMEOUT_MS;
    while (!(await isHealthy(this.address))) {
      if (this.#child.exitCode !== null)
        throw new Error(`the FastAPI baseline ended with ${this.#child.exitCode}`);
      if (performance.now() > giveUpAt) throw new Error('the FastAPI baseline did not get ready');
      await delay(POLL_MS, undefined, { signal });
    }
  }
}

async function isHealthy(address: string): Promise<boolean> {
  try {
    return (await fetch(`http://${address}/health`)).ok;
  } catch {
    return false;
  }
}

async function assertAvailable({ baselineFolder, python, modelDirectory }: FastApiOptions): Promise<void> {
  const files = [join(baselineFolder, 'server.py'), join(modelDirectory, 'model.safetensors')];
  for (const file of files) {
    if (!existsSync(file)) throw new ScenarioSkipped(`there is no ${file}: see --baseline and --model base`);
  }
  const script = `import importlib.util as u; print(*[m for m in ${JSON.stringify(MODULES)} if not u.find_spec(m)])`;
  const answer = await promisify(execFile)(python, ['-c', script]).catch(() => undefined);
  if (answer === undefined) throw new ScenarioSkipped(`${python} does not run: see --python`);
  const missing = answer.stdout.trim();
  if (missing !== '') {
    throw new ScenarioSkipped(
      `${python} lacks ${missing.replaceAll(' ', ', ')}: install ${join(baselineFolder, 'requirements.txt')}`,
    );
  }
}
