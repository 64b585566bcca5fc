import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.js';
import { findTool } from './tool.js';
import { until } from './until.js';

export interface RedisServerOptions {
  /** What clients must give. */
  readonly password?: string;
  /** Further arguments of redis-server, such as `--cluster-enabled`, `yes`. */
  readonly args?: readonly string[];
  /** Contents of a configuration file, which Sentinel insists on. */
  readonly configuration?: string;
}

/** A real redis-server on a free port of 127.0.0.1, without persistence. */
export class RedisServer {
  readonly port: number;
  readonly #path: string;
  readonly #options: RedisServerOptions;
  readonly #folder = mkdtempSync(join(tmpdir(), 'verdict-redis-'));
  readonly #onExit = (): void => this.#release();
  #process: ChildProcess | undefined;

  /** Starts one and waits until it answers. `redis-server` must be there: see `requireTool`. */
  static async start(options: RedisServerOptions = {}): Promise<RedisServer> {
    const tool = await findTool('redis-server');
    if (!('path' in tool)) throw new Error(`redis-server is unavailable: ${tool.unavailable}`);
    for (let attempt = 1; ; attempt += 1) {
      const server = new RedisServer(tool.path, await freePort(), options);
      try {
        await server.restart();
        return server;
      } catch (error) {
        await server.stop();
        // Somebody else may have taken the port in between.
        if (attempt === 3) throw error;
      }
    }
  }

  private constructor(path: string, port: number, options: RedisServerOptions) {
    this.port = port;
    this.#path = path;
    this.#options = options;
    process.once('exit', this.#onExit);
  }

  get url(): string {
    const { password } = this.#options;
    return `redis://${password === undefined ? '' : `:${password}@`}127.0.0.1:${this.port}`;
  }

  /** Starts it again, empty, on the same port, and waits until it answers. */
  async restart(): Promise<void> {
    await this.kill();
    const server = spawn(this.#path, this.#arguments(), { cwd: this.#folder, stdio: 'ignore' });
    this.#process = server;
    await once(server, 'spawn');
    await until('redis-server answers', async () => {
      if (server.exitCode !== null) throw new Error(`redis-server ended with code ${server.exitCode}`);
      return answersPing(this.port);
    });
  }

  /** SIGKILL: connections break, the port refuses. Works on a paused server too. */
  async kill(): Promise<void> {
    const server = this.#process;
    this.#process = undefined;
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    server.kill('SIGKILL');
    await once(server, 'exit');
  }

  /** SIGSTOP: it keeps its connections, and new ones are even accepted by the kernel, but answers nothing. */
  pause(): void {
    this.#process?.kill('SIGSTOP');
  }

  /** SIGCONT: it answers again, what was asked in the meantime included. */
  resume(): void {
    this.#process?.kill('SIGCONT');
  }

  /** Ends it and removes its folder. */
  async stop(): Promise<void> {
    await this.kill();
    process.removeListener('exit', this.#onExit);
    this.#release();
  }

  #release(): void {
    this.#process?.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #arguments(): string[] {
    const { password, args = [], configuration } = this.#options;
    const fixed = ['--port', `${this.port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    const secret = password === undefined ? [] : ['--requirepass', password];
    if (configuration === undefined) return [...fixed, '--dir', this.#folder, ...secret, ...args];
    const file = join(this.#folder, 'redis.conf');
    writeFileSync(file, configuration);
    return [file, '--port', `${this.port}`, '--bind', '127.0.0.1', '--dir', this.#folder, ...args];
  }
}

/** Whether a server on that port speaks RESP: PONG, or that a password is wanted. */
function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    const settle = (answered: boolean): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.setTimeout(2000, () => settle(false));
    socket.once('error', () => settle(false));
    socket.once('close', () => settle(false));
    socket.once('data', (reply) => settle(/^(\+PONG|-NOAUTH)/.test(reply.toString('latin1'))));
  });
}
