import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { repositoryRoot } from './repository.js';
import type { ServerExit } from './server-process.js';

/** A server process that is handed over at once, while it starts: `ServerProcess` waits until it serves. */
export class StartingServer {
  readonly pid: number;
  readonly exit: Promise<ServerExit>;
  /** Everything written so far, to standard output and standard error. */
  output = '';
  readonly #child: ChildProcess;

  constructor(settings: Readonly<Record<string, string>>) {
    const child = spawn(process.execPath, [join(repositoryRoot, 'dist/src/main.js')], {
      cwd: repositoryRoot,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        VERDICT_PORT: '0',
        VERDICT_ADMIN_PORT: '0',
        VERDICT_DEVICE: 'cpu',
        // Whether sessions are divided depends on how quick the machine is.
        VERDICT_INSTANCES: '1',
        VERDICT_DRAIN_GRACE_MS: '0',
        ...settings,
      },
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
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
