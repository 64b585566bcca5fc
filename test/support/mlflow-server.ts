import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { freePort } from './free-port.js';
import { repositoryRoot } from './repository.js';
import { findTool } from './tool.js';
import { until } from './until.js';

const START_MS = 120_000;

/** A real MLflow server on a free port of 127.0.0.1, which asks for a password, keeps its state in SQLite, and hands out artifacts. */
export class MlflowServer {
  static readonly password = 'secretsecretsecret';

  readonly #python: string;
  readonly #port: number;
  readonly #folder = mkdtempSync(join(tmpdir(), 'verdict-mlflow-'));
  readonly #onExit = (): void => this.#release();
  #process: ChildProcess | undefined;

  /** Starts one and waits until it answers. `python-mlflow-3.17.2` must be there: see `requireTool`. */
  static async start(): Promise<MlflowServer> {
    const tool = await findTool('python-mlflow-3.17.2');
    if (!('path' in tool)) throw new Error(`python-mlflow-3.17.2 is unavailable: ${tool.unavailable}`);
    const server = new MlflowServer(tool.path, await freePort());
    try {
      await server.restart();
      return server;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  private constructor(python: string, port: number) {
    this.#python = python;
    this.#port = port;
    process.once('exit', this.#onExit);
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** What a client needs to know, as MLflow's own reads it. */
  get environment() {
    return {
      MLFLOW_TRACKING_URI: this.endpoint,
      MLFLOW_TRACKING_USERNAME: 'admin',
      MLFLOW_TRACKING_PASSWORD: MlflowServer.password,
    };
  }

  /** Where the server keeps the artifacts that it hands out. */
  get artifacts(): string {
    return join(this.#folder, 'artifacts');
  }

  /** Logs and registers a folder with MLflow's own client. @returns the version */
  async register(name: string, folder: string, ...aliases: string[]): Promise<string> {
    return (await this.#python3('register-model.py', [name, folder, ...aliases])).trim();
  }

  async moveAlias(name: string, alias: string, version: string): Promise<void> {
    await this.#python3('register-model.py', [name, '--alias', alias, version]);
  }

  /** Starts it again, on the same port and with the same state, and waits until it answers. */
  async restart(): Promise<void> {
    await this.kill();
    const server = spawn(
      this.#python,
      [
        ...['-m', 'mlflow', 'server', '--app-name', 'basic-auth', '--workers', '1'],
        ...['--host', '127.0.0.1', '--port', `${this.#port}`],
        ...['--backend-store-uri', `sqlite:///${this.#folder}/state.db`],
        ...['--artifacts-destination', this.artifacts],
      ],
      {
        cwd: this.#folder,
        stdio: 'ignore',
        // It starts workers, which end with their group.
        detached: true,
        env: {
          ...this.#environment,
          MLFLOW_AUTH_ADMIN_PASSWORD: MlflowServer.password,
          MLFLOW_FLASK_SERVER_SECRET_KEY: 'any',
          // Its queue of jobs needs more packages.
          MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false',
        },
      },
    );
    this.#process = server;
    await once(server, 'spawn');
    const answers = async () => {
      if (server.exitCode !== null) throw new Error(`mlflow ended with code ${server.exitCode}`);
      return fetch(`${this.endpoint}/health`).then(
        ({ ok }) => ok,
        () => false,
      );
    };
    await until('mlflow answers', answers, START_MS);
  }

  /** SIGKILL: connections break, the port refuses. */
  async kill(): Promise<void> {
    const server = this.#process;
    this.#process = undefined;
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'exit');
    killGroup(server);
    await ended;
  }

  /** Ends it and removes its folder. */
  async stop(): Promise<void> {
    await this.kill();
    process.removeListener('exit', this.#onExit);
    this.#release();
  }

  get #environment() {
    return {
      PATH: process.env.PATH,
      HOME: this.#folder,
      MLFLOW_DISABLE_TELEMETRY: 'true',
    };
  }

  async #python3(script: string, args: readonly string[]): Promise<string> {
    const child = spawn(this.#python, [join(repositoryRoot, 'test/support', script), ...args], {
      cwd: this.#folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...this.#environment, ...this.environment, MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT: 'true' },
    });
    const [stdout, stderr, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'exit'),
    ]);
    if (code !== 0) throw new Error(`${script} ended with code ${code}: ${stderr}`);
    return stdout;
  }

  #release(): void {
    if (this.#process !== undefined) killGroup(this.#process);
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}
