import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { spawnServer } from './spawn-server.js';

const START_TIMEOUT_MS = 120_000;

/** One line of the server's log. */
export type LogLine = Readonly<Record<string, unknown>>;

export interface ServerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The real server in a process of its own, on free ports, as `npm start` runs it. */
export class ServerProcess {
  /** `127.0.0.1:<port>` of the gRPC server. */
  readonly address: string;
  /** `http://127.0.0.1:<port>` of the HTTP server, where there is one. */
  readonly httpUrl: string;
  /** `http://127.0.0.1:<port>` of the admin server. */
  readonly adminUrl: string;
  /** Everything logged so far. */
  readonly log: readonly LogLine[];
  /** Everything written to standard error so far, in pieces. */
  readonly complaints: readonly string[];
  readonly exit: Promise<ServerExit>;
  readonly #child: ChildProcess;

  private constructor(
    child: ChildProcess,
    exit: Promise<ServerExit>,
    written: { readonly log: readonly LogLine[]; readonly complaints: readonly string[] },
    serving: LogLine,
  ) {
    this.#child = child;
    this.exit = exit;
    this.log = written.log;
    this.complaints = written.complaints;
    this.address = String(serving.address);
    this.httpUrl = `http://${String(serving.http)}`;
    this.adminUrl = `http://${String(serving.admin)}`;
  }

  /**
   * Starts the server and waits until it says that it serves.
   *
   * @param settings see `spawnServer`
   * @throws Error with what the server wrote to standard error when it ends instead
   */
  static async start(settings: Readonly<Record<string, string>> = {}): Promise<ServerProcess> {
    const child = spawnServer(settings);
    const exit = once(child, 'exit').then(([code, signal]) => ({ code, signal }) as ServerExit);
    const complaints: string[] = [];
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => complaints.push(chunk));
    const log: LogLine[] = [];
    const serving = new Promise<LogLine>((resolve) => {
      if (child.stdout !== null)
        createInterface({ input: child.stdout }).on('line', (line) => {
          const entry: LogLine = JSON.parse(line);
          log.push(entry);
          if (entry.msg === 'serving') resolve(entry);
        });
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), START_TIMEOUT_MS);
    const first = await Promise.race([serving, exit]);
    clearTimeout(timer);
    if (!('address' in first)) throw new Error(`the server ended before it served: ${complaints.join('')}`);
    return new ServerProcess(child, exit, { log, complaints }, first);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** SIGTERM, and SIGKILL should that not do. */
  async stop(): Promise<ServerExit> {
    this.kill('SIGTERM');
    const timer = setTimeout(() => this.kill('SIGKILL'), START_TIMEOUT_MS);
    const exit = await this.exit;
    clearTimeout(timer);
    return exit;
  }

  /** The value of a metric, summed over the series that carry the labels. 0 where there is none. */
  async metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    const page = await (await fetch(`${this.adminUrl}/metrics`)).text();
    return page
      .split('\n')
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      .filter((line) => Object.entries(labels).every(([key, value]) => line.includes(`${key}="${value}"`)))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }
}
