import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { freePort } from '../free-port.js';
import { killAtExit } from '../kill-at-exit.js';
import { ScenarioSkipped } from '../scenario.js';

const START_TIMEOUT_MS = 30_000;
const POLL_MS = 20;
const root = fileURLToPath(new URL('../../..', import.meta.url));

type Provisioned = { readonly path: string } | { readonly unavailable: string };

/** Envoy as `npm run envoy` starts it, on other ports. Its access log goes nowhere, but is written. */
export class EnvoyProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #folder: string;
  /** `127.0.0.1:<port>`, for HTTP and for gRPC. */
  readonly address: string;

  private constructor(child: ChildProcess, folder: string, address: string) {
    this.#child = child;
    this.#exited = once(child, 'exit');
    this.#folder = folder;
    this.address = address;
  }

  /**
   * @param upstream `127.0.0.1:<port>` of Verdict
   * @throws ScenarioSkipped where Envoy can neither be found nor fetched
   * @throws Error where it ends or does not get ready in time
   */
  static async start(upstream: string, signal: AbortSignal): Promise<EnvoyProcess> {
    const script: { provision(name: string): Promise<Provisioned> } = await import(
      pathToFileURL(join(root, 'scripts/tools/provision.mjs')).href
    );
    const tool = await script.provision('envoy');
    if (!('path' in tool)) throw new ScenarioSkipped(`Envoy is unavailable: ${tool.unavailable}`);
    const [port, adminPort] = [await freePort(), await freePort()];
    const folder = mkdtempSync(join(tmpdir(), 'verdict-bench-'));
    const config = join(folder, 'envoy.yaml');
    const text = readFileSync(join(root, 'deploy/envoy/envoy.yaml'), 'utf8')
      .replace('port_value: 8080', `port_value: ${port}`)
      .replace('port_value: 9901', `port_value: ${adminPort}`)
      .replace('port_value: 50051', `port_value: ${upstream.split(':')[1]}`);
    writeFileSync(config, text);
    const args = ['-c', config, '--disable-hot-restart', '--log-level', 'error'];
    const child = spawn(tool.path, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
    killAtExit(child);
    const envoy = new EnvoyProcess(child, folder, `127.0.0.1:${port}`);
    try {
      await envoy.#untilReady(`http://127.0.0.1:${adminPort}/ready`, signal);
    } catch (error) {
      await envoy.stop();
      throw error;
    }
    return envoy;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Ends it at once. */
  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGKILL');
    await this.#exited;
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #untilReady(url: string, signal: AbortSignal): Promise<void> {
    const giveUpAt = performance.now() + START_TIMEOUT_MS;
    while (!(await isReady(url))) {
      if (this.#child.exitCode !== null) throw new Error(`Envoy ended with ${this.#child.exitCode}`);
      if (performance.now() > giveUpAt) throw new Error('Envoy did not get ready');
      await delay(POLL_MS, undefined, { signal });
    }
  }
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}
