import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { repositoryRoot } from './repository.js';
import type { LogLine } from './server-process.js';
import { until } from './until.js';

const PATIENCE = 60_000;

/** `verdict models follow` in a process of its own. */
export class FollowProcess {
  readonly log: LogLine[] = [];
  readonly exit: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  readonly #child: ChildProcess;

  /** @param env all that it sees of the environment, besides PATH */
  constructor(args: readonly string[], env: Readonly<Record<string, string>>) {
    this.#child = spawn(
      process.execPath,
      [join(repositoryRoot, 'dist/src/cli/main.js'), 'models', 'follow', ...args],
      { env: { PATH: process.env.PATH, ...env }, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    this.exit = once(this.#child, 'exit').then(([code, signal]) => ({ code, signal }));
    const { stdout } = this.#child;
    if (stdout !== null)
      createInterface({ input: stdout }).on('line', (line) => this.log.push(JSON.parse(line)));
  }

  /** What it has told of one kind. */
  events(event: string): readonly LogLine[] {
    return this.log.filter((line) => line.event === event);
  }

  async told(event: string, times = 1): Promise<void> {
    await until(`${event} is told ${times} times`, () => this.events(event).length >= times, PATIENCE);
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends it if it still runs. */
  async stop(): Promise<void> {
    this.kill('SIGKILL');
    await this.exit;
  }
}
