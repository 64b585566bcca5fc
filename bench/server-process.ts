import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { credentials } from '@grpc/grpc-js';
import { HealthClient } from '../generated/grpc/health/v1/health.js';
import { childProcesses } from './child-processes.js';
import { freePort } from './free-port.js';
import { killAtExit } from './kill-at-exit.js';
import { MetricsPage } from './metrics-page.js';
import { processMs } from './processor-time.js';
import { residentBytes } from './resident-bytes.js';

const START_TIMEOUT_MS = 120_000;
const POLL_MS = 5;

/** What `npm start` and the container image give Node; a test holds them to it. */
export const serverNodeFlags: readonly string[] = ['--max-semi-space-size=32'];

/** CPU time since a server's start, in milliseconds. */
export interface ServerCpu {
  /** The process that speaks gRPC, its tokenizer thread included. */
  readonly mainMs: number;
  /** The session processes that live now. */
  readonly sessionsMs: number;
}

/** What a server of the bench may have beyond its settings. */
export interface ServerProcessOptions {
  /** A file descriptor that its log goes to; left out: nowhere. */
  readonly logTo?: number;
  /** A compiled module that the process loads first and talks to over IPC, as a path. */
  readonly agent?: string;
}

/** The real server in its own process, as `npm start` runs it. */
export class ServerProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly address: string;
  readonly adminAddress: string;
  /** From spawning `node` to the first SERVING. */
  startMs = Number.NaN;

  private constructor(child: ChildProcess, address: string, adminAddress: string) {
    this.#child = child;
    this.#exited = once(child, 'exit');
    this.address = address;
    this.adminAddress = adminAddress;
  }

  /**
   * @param settings environment variables (`VERDICT_*`)
   * @throws Error where it ends or does not serve in time
   */
  static async start(
    settings: Readonly<Record<string, string>>,
    signal: AbortSignal,
    { logTo, agent }: ServerProcessOptions = {},
  ): Promise<ServerProcess> {
    signal.throwIfAborted();
    const [port, adminPort] = [await freePort(), await freePort()];
    const startedAt = performance.now();
    const main = fileURLToPath(new URL('../src/main.js', import.meta.url));
    const flags = [...serverNodeFlags, ...(agent === undefined ? [] : ['--import', agent])];
    const child = spawn(process.execPath, [...flags, main], {
      stdio: ['ignore', logTo ?? 'ignore', 'inherit', ...(agent === undefined ? [] : ['ipc' as const])],
      env: {
        PATH: process.env.PATH,
        VERDICT_LOG_LEVEL: 'info',
        ...settings,
        VERDICT_PORT: String(port),
        VERDICT_HTTP: 'off',
        VERDICT_ADMIN_PORT: String(adminPort),
      },
    });
    killAtExit(child);
    const server = new ServerProcess(child, `127.0.0.1:${port}`, `127.0.0.1:${adminPort}`);
    try {
      await server.#untilServing(signal);
    } catch (error) {
      await server.stop();
      throw error;
    }
    server.startMs = performance.now() - startedAt;
    return server;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Asks the agent that the server was started with; one question at a time. */
  async askAgent<T>(question: object): Promise<T> {
    const answer = once(this.#child, 'message').then(([message]) => message as T);
    this.#child.send(question);
    return Promise.race([
      answer,
      this.#exited.then(() => Promise.reject(new Error('the server ended before its agent answered'))),
    ]);
  }

  /** Process ids of the sessions. */
  get sessions(): number[] {
    return childProcesses(this.pid);
  }

  cpu(): ServerCpu {
    const sessionsMs = this.sessions.reduce((sum, pid) => sum + processMs(pid), 0);
    return { mainMs: processMs(this.pid), sessionsMs };
  }

  /** Resident memory of the process that speaks gRPC and of its sessions; shared pages count in each. */
  memory(): { readonly mainBytes: number; readonly sessionsBytes: number } {
    const sessionsBytes = this.sessions.reduce((sum, pid) => sum + residentBytes(pid), 0);
    return { mainBytes: residentBytes(this.pid), sessionsBytes };
  }

  async metrics(): Promise<MetricsPage> {
    const answer = await fetch(`http://${this.adminAddress}/metrics`);
    return new MetricsPage(await answer.text());
  }

  /** SIGTERM, and waits for the end of it. */
  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGTERM');
    await this.#exited;
  }

  async #untilServing(signal: AbortSignal): Promise<void> {
    const client = new HealthClient(this.address, credentials.createInsecure(), {
      'grpc.initial_reconnect_backoff_ms': 10,
      'grpc.max_reconnect_backoff_ms': 20,
      'grpc.min_reconnect_backoff_ms': 10,
    });
    const giveUpAt = performance.now() + START_TIMEOUT_MS;
    try {
      while (!(await isServing(client))) {
        if (this.#child.exitCode !== null) throw new Error(`the server ended with ${this.#child.exitCode}`);
        if (performance.now() > giveUpAt) throw new Error('the server did not get ready');
        await delay(POLL_MS, undefined, { signal });
      }
    } finally {
      client.close();
    }
  }
}

function isServing(client: HealthClient): Promise<boolean> {
  return new Promise((resolve) => {
    client.check({ service: '' }, (error, response) => resolve(error === null && response.status === 1));
  });
}
