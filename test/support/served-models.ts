import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { VerdictClient, type VerdictClientOptions } from '../../clients/typescript/src/index.js';
import { childProcesses, isAlive } from './child-processes.js';
import { modelsDirectory } from './models-directory.js';
import { ServerProcess } from './server-process.js';
import { until } from './until.js';

/** A test, or what collects the steps for the end of a suite. */
export interface Cleanup {
  after(step: () => Promise<void>): unknown;
}

/** A server process with models of its own, to be ill-treated. */
export class ServedModels {
  readonly server: ServerProcess;
  readonly #directory: string;
  readonly #clients: VerdictClient[] = [];
  #exited = false;

  /**
   * Starts a server with these models, the first of them the default one. The end of the test stops it, unless the
   * test did, and checks that it had stayed alive, stops cleanly and leaves no session process behind.
   */
  static async start(
    t: Cleanup,
    names: readonly [string, ...string[]],
    settings: Readonly<Record<string, string>> = {},
  ): Promise<ServedModels> {
    const { path, remove } = await modelsDirectory(names);
    t.after(remove);
    const server = await ServerProcess.start({
      VERDICT_MODELS_DIR: path,
      VERDICT_DEFAULT_MODEL: names[0],
      ...settings,
    });
    const served = new ServedModels(server, path);
    t.after(() => served.#end());
    return served;
  }

  private constructor(server: ServerProcess, directory: string) {
    this.server = server;
    this.#directory = directory;
    void server.exit.then(() => {
      this.#exited = true;
    });
  }

  /** A client that is closed with the server. It does not retry unless told to. */
  client(options: VerdictClientOptions = {}): VerdictClient {
    const client = new VerdictClient({ address: this.server.address, retry: false, ...options });
    this.#clients.push(client);
    return client;
  }

  /** Session processes that have announced themselves and are not known to be lost, by their log lines. */
  sessions(model?: string): number[] {
    const pids = new Set<number>();
    for (const line of this.server.log) {
      if (model !== undefined && line.model !== model) continue;
      if (line.msg === 'session ready') pids.add(Number(line.pid));
      if (line.msg === 'session lost') pids.delete(Number(line.pid));
    }
    return [...pids];
  }

  /** Log lines with this message. */
  logged(message: string): Readonly<Record<string, unknown>>[] {
    return this.server.log.filter(({ msg }) => msg === message);
  }

  /** Hangs the only session of the model: whatever it is given now runs until it is resumed or killed. */
  pauseSession(model?: string): number {
    const [pid, ...others] = this.sessions(model);
    assert.ok(pid !== undefined && others.length === 0, 'there is exactly one session');
    process.kill(pid, 'SIGSTOP');
    return pid;
  }

  /** Waits until the paused session has been given a batch. `work` is what gives it one. */
  async untilRunning(work: () => void): Promise<void> {
    const before = await this.server.metric('verdict_session_busy_seconds_total');
    work();
    await until('a batch is under way', async () => {
      return (await this.server.metric('verdict_session_busy_seconds_total')) > before;
    });
  }

  /** Takes the model's files away, so that no replacement of its sessions can start. */
  async withhold(model: string): Promise<void> {
    await rename(join(this.#directory, model), join(this.#directory, `.${model}`));
  }

  /** Puts them back. */
  async restore(model: string): Promise<void> {
    await rename(join(this.#directory, `.${model}`), join(this.#directory, model));
    assert.ok(existsSync(join(this.#directory, model)));
  }

  /** Waits until the server says that all its models serve. */
  async untilServing(): Promise<void> {
    const client = this.client();
    await until('the server serves', async () => (await client.health()) === 'serving', 30_000);
  }

  /** Waits until nothing is open or queued any more, and every call that began has ended. */
  async untilQuiet(): Promise<void> {
    await until('the server is quiet', async () => {
      const values = await Promise.all([
        this.server.metric('grpc_server_started_total'),
        this.server.metric('grpc_server_handled_total'),
        this.server.metric('verdict_streams_in_flight'),
        this.server.metric('verdict_queue_items'),
      ]);
      const [started, handled, streams, queued] = values;
      return started === handled && streams === 0 && queued === 0;
    });
  }

  async #end(): Promise<void> {
    for (const client of this.#clients) client.close();
    if (this.#exited) return;
    const sessions = childProcesses(this.server.pid);
    for (const pid of sessions) process.kill(pid, 'SIGCONT');
    assert.deepEqual(await this.server.stop(), { code: 0, signal: null });
    await until('no session process is left', () => !sessions.some(isAlive));
  }
}
