import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Redis } from 'ioredis';
import { freePort } from '../free-port.js';
import { killAtExit } from '../kill-at-exit.js';
import { ScenarioSkipped } from '../scenario.js';

const START_TIMEOUT_MS = 10_000;
const POLL_MS = 20;
const provisionScript = fileURLToPath(new URL('../../../scripts/tools/provision.mjs', import.meta.url));

type Provisioned = { readonly path: string } | { readonly unavailable: string };

/** A redis-server on 127.0.0.1 that keeps nothing on disk. */
export class RedisProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #client: Redis;
  readonly url: string;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.#exited = once(child, 'exit');
    this.url = `redis://127.0.0.1:${port}`;
    this.#client = new Redis(this.url, { lazyConnect: true, retryStrategy: () => POLL_MS });
    // It is told by the command that fails; unheard it would be thrown.
    this.#client.on('error', () => {});
  }

  /** @throws ScenarioSkipped where redis-server can neither be found nor fetched */
  static async start(signal: AbortSignal): Promise<RedisProcess> {
    const script: { provision(name: string): Promise<Provisioned> } = await import(
      pathToFileURL(provisionScript).href
    );
    const tool = await script.provision('redis-server');
    if (!('path' in tool)) throw new ScenarioSkipped(`redis-server is unavailable: ${tool.unavailable}`);
    const port = await freePort();
    const options = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    const child = spawn(tool.path, ['--port', String(port), ...options], { stdio: 'ignore' });
    killAtExit(child);
    const server = new RedisProcess(child, port);
    try {
      await server.#untilAnswering(signal);
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Forgets everything. */
  async flush(): Promise<void> {
    await this.#client.flushall();
  }

  /** What is kept under a key. */
  async read(key: string): Promise<Buffer | undefined> {
    return (await this.#client.getBuffer(key)) ?? undefined;
  }

  /** Keeps a value under each key that holds nothing. */
  async fill(keys: readonly string[], value: Buffer, ttlMs: number): Promise<void> {
    await Promise.all(keys.map((key) => this.#client.set(key, value, 'PX', ttlMs, 'NX')));
  }

  async stop(): Promise<void> {
    this.#client.disconnect();
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGTERM');
    await this.#exited;
  }

  async #untilAnswering(signal: AbortSignal): Promise<void> {
    const giveUpAt = performance.now() + START_TIMEOUT_MS;
    while ((await this.#client.ping().catch(() => '')) !== 'PONG') {
      if (this.#child.exitCode !== null) throw new Error(`redis-server ended with ${this.#child.exitCode}`);
      if (performance.now() > giveUpAt) throw new Error('redis-server does not answer');
      await delay(POLL_MS, undefined, { signal });
    }
  }
}
