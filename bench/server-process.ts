import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { credentials } from '@grpc/grpc-js';
import { HealthClient } from '../generated/health/v1/health.js';

const START_TIMEOUT_MS = 120_000;
const POLL_MS = 5;

/** The real server in its own process, as `npm start` runs it. */
export class ServerProcess {
  readonly #child: ChildProcess;
  readonly address: string;
  readonly adminAddress: string;
  /** From spawning `node` to the first SERVING. */
  readonly startMs: number;

  private constructor(child: ChildProcess, address: string, adminAddress: string, startMs: number) {
    this.#child = child;
    this.address = address;
    this.adminAddress = adminAddress;
    this.startMs = startMs;
  }

  /** @param settings environment variables (`VERDICT_*`) */
  static async start(settings: Readonly<Record<string, string>>): Promise<ServerProcess> {
    const [port, adminPort] = [await freePort(), await freePort()];
    const startedAt = performance.now();
    const child = spawn(process.execPath, [fileURLToPath(new URL('../src/main.js', import.meta.url))], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: {
        PATH: process.env.PATH,
        VERDICT_LOG_LEVEL: 'info',
        ...settings,
        VERDICT_PORT: String(port),
        VERDICT_ADMIN_PORT: String(adminPort),
      },
    });
    const address = `127.0.0.1:${port}`;
    await untilServing(address, child);
    return new ServerProcess(child, address, `127.0.0.1:${adminPort}`, performance.now() - startedAt);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async stop(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await exited;
  }
}

async function untilServing(address: string, child: ChildProcess): Promise<void> {
  const client = new HealthClient(address, credentials.createInsecure(), {
    'grpc.initial_reconnect_backoff_ms': 10,
    'grpc.max_reconnect_backoff_ms': 20,
    'grpc.min_reconnect_backoff_ms': 10,
  });
  const giveUpAt = performance.now() + START_TIMEOUT_MS;
  try {
    while (!(await isServing(client))) {
      if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
      if (performance.now() > giveUpAt) throw new Error('the server did not get ready');
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  } finally {
    client.close();
  }
}

function isServing(client: HealthClient): Promise<boolean> {
  return new Promise((resolve) => {
    client.check({ service: '' }, (error, response) => resolve(error === null && response.status === 1));
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
