import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { freePort } from './free-port.js';
import { findTool } from './tool.js';
import { until } from './until.js';

export interface S3ServerOptions {
  /** What rclone may send in a second, such as `100k`. Default: no limit. */
  readonly bandwidth?: string;
}

/** A real S3 server (`rclone serve s3`) on a free port of 127.0.0.1. Its buckets are folders of a folder of its own. */
export class S3Server {
  static readonly accessKey = 'AKIATESTTESTTEST';
  static readonly secret = 'secretsecretsecretsecret';

  readonly #path: string;
  readonly #folder = mkdtempSync(join(tmpdir(), 'verdict-s3-'));
  readonly #staging = mkdtempSync(join(tmpdir(), 'verdict-s3-staging-'));
  readonly #port: number;
  readonly #onExit = (): void => this.#release();
  #process: ChildProcess | undefined;

  /** Starts one and waits until it answers. `rclone` must be there: see `requireTool`. */
  static async start(options: S3ServerOptions = {}): Promise<S3Server> {
    const tool = await findTool('rclone');
    if (!('path' in tool)) throw new Error(`rclone is unavailable: ${tool.unavailable}`);
    const server = new S3Server(tool.path, await freePort());
    try {
      await server.restart(options);
      return server;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  private constructor(path: string, port: number) {
    this.#path = path;
    this.#port = port;
    process.once('exit', this.#onExit);
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** What a client needs to know, as the SDKs read it. */
  get environment() {
    return {
      AWS_ENDPOINT_URL: this.endpoint,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: S3Server.accessKey,
      AWS_SECRET_ACCESS_KEY: S3Server.secret,
      // The SDK asks the machine's cloud and home folder for what is missing.
      AWS_EC2_METADATA_DISABLED: 'true',
    };
  }

  /** Where the server keeps an object, or all below a prefix: `bucket/prefix`. */
  pathOf(object: string): string {
    return join(this.#folder, object);
  }

  /** Puts a folder, or a file, at `bucket/prefix`, in place of what is there: whoever lists it finds no half of it. */
  put(source: string, target: string): void {
    const path = this.pathOf(target);
    const copy = join(this.#staging, 'copy');
    cpSync(source, copy, { recursive: true });
    mkdirSync(dirname(path), { recursive: true });
    if (existsSync(path)) renameSync(path, join(this.#staging, 'former'));
    renameSync(copy, path);
    rmSync(join(this.#staging, 'former'), { recursive: true, force: true });
  }

  /** Starts it again, on the same port and with the same objects, and waits until it answers. */
  async restart({ bandwidth }: S3ServerOptions = {}): Promise<void> {
    await this.kill();
    const limit = bandwidth === undefined ? [] : ['--bwlimit', bandwidth];
    const server = spawn(
      this.#path,
      [
        ...['serve', 's3', this.#folder, '--addr', `127.0.0.1:${this.#port}`],
        ...['--auth-key', `${S3Server.accessKey},${S3Server.secret}`],
        // What a test puts into the folder is there at once.
        ...['--dir-cache-time', '0', '--config', '', ...limit],
      ],
      { cwd: this.#folder, stdio: 'ignore' },
    );
    this.#process = server;
    await once(server, 'spawn');
    await until('rclone answers', async () => {
      if (server.exitCode !== null) throw new Error(`rclone ended with code ${server.exitCode}`);
      return fetch(this.endpoint).then(
        () => true,
        () => false,
      );
    });
  }

  /** SIGKILL: connections break, the port refuses. */
  async kill(): Promise<void> {
    const server = this.#process;
    this.#process = undefined;
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    server.kill('SIGKILL');
    await once(server, 'exit');
  }

  /** Ends it and removes its folder. */
  async stop(): Promise<void> {
    await this.kill();
    process.removeListener('exit', this.#onExit);
    this.#release();
  }

  #release(): void {
    this.#process?.kill('SIGKILL');
    for (const folder of [this.#folder, this.#staging]) rmSync(folder, { recursive: true, force: true });
  }
}
