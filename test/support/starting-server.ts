import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { ServerExit } from './server-process.js';
import { type SpawnOptions, spawnServer } from './spawn-server.js';

/** A server process that is handed over at once, while it starts: `ServerProcess` waits until it serves. */
export class StartingServer {
  readonly pid: number;
  readonly exit: Promise<ServerExit>;
  /** Everything written so far, to standard output and standard error. */
  output = '';
  readonly #child: ChildProcess;

  constructor(settings: Readonly<Record<string, string>>, options: SpawnOptions = {}) {
    const child = spawnServer(settings, options);
    for (const stream of options.unread ? [child.stderr] : [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
      });
    }
    this.#child = child;
    this.pid = child.pid ?? 0;
    this.exit = once(child, 'close').then(([code, signal]) => ({ code, signal }) as ServerExit);
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}
