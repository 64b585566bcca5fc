import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { envoyConfig } from './envoy-config.js';
import { repositoryRoot } from './repository.js';
import type { LogLine } from './server-process.js';
import { findTool } from './tool.js';
import { until } from './until.js';

/** A real Envoy with the configuration of `deploy/envoy/`, on free ports. */
export class EnvoyProcess {
  /** `http://127.0.0.1:<port>` of the listener. */
  readonly url: string;
  /** The same of Envoy's own admin interface. */
  readonly adminUrl: string;
  /** The access log so far. */
  readonly log: readonly LogLine[];
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(
    child: ChildProcess,
    folder: string,
    urls: { readonly url: string; readonly adminUrl: string },
    log: readonly LogLine[],
  ) {
    this.#child = child;
    this.#folder = folder;
    this.url = urls.url;
    this.adminUrl = urls.adminUrl;
    this.log = log;
  }

  /**
   * Starts it in front of these servers and waits until it takes calls.
   * @throws Error with what it wrote to standard error when it does not come up
   */
  static start(...upstreams: readonly string[]): Promise<EnvoyProcess> {
    return EnvoyProcess.startWith((configuration) => configuration, upstreams);
  }

  /** The same, with a configuration that was changed. */
  static async startWith(
    change: (configuration: string) => string,
    upstreams: readonly string[],
  ): Promise<EnvoyProcess> {
    const envoy = await findTool('envoy');
    assert.ok('path' in envoy);
    const folder = await mkdtemp(join(tmpdir(), 'verdict-envoy-'));
    const config = join(folder, 'envoy.yaml');
    const adminAddress = join(folder, 'admin');
    await writeFile(config, change(await envoyConfig(upstreams)));
    const options = ['--disable-hot-restart', '--concurrency', '1', '--log-level', 'error'];
    const child = spawn(envoy.path, ['-c', config, '--admin-address-path', adminAddress, ...options], {
      cwd: repositoryRoot,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let complaints = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaints += text;
    });
    const log: LogLine[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => log.push(JSON.parse(line)));
    const isReady = async (): Promise<boolean> => {
      if (child.exitCode !== null) throw new Error(`Envoy ended before it was ready: ${complaints}`);
      const admin = await readFile(adminAddress, 'utf8').catch(() => '');
      return admin !== '' && (await fetch(`http://${admin}/ready`)).ok;
    };
    try {
      await until('Envoy is ready', isReady, 30_000);
      const adminUrl = `http://${await readFile(adminAddress, 'utf8')}`;
      const listeners = await (await fetch(`${adminUrl}/listeners`)).text();
      const port = /^api::.*:(\d+)$/m.exec(listeners)?.[1];
      return new EnvoyProcess(child, folder, { url: `http://127.0.0.1:${port}`, adminUrl }, log);
    } catch (error) {
      child.kill('SIGKILL');
      await rm(folder, { recursive: true });
      throw error;
    }
  }

  /** A counter or gauge of Envoy's, by its full name; 0 where it has not been touched yet. */
  async stat(name: string): Promise<number> {
    const text = await (await fetch(`${this.adminUrl}/stats?filter=^${name}$`)).text();
    return Number(text.split(': ')[1] ?? 0);
  }

  /** Ends it at once: what it has open is cut off. */
  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exit = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await exit;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}
