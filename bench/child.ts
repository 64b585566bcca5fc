import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { killAtExit } from './kill-at-exit.js';

/** A process of the bench that answers requests over IPC, one at a time: load generators and references. */
export class BenchChild {
  readonly #child: ChildProcess;
  /** Rejects when the process ends, which it does not before it is told to. */
  readonly #ended: Promise<never>;
  readonly #exited: Promise<unknown>;

  private constructor(file: string, child: ChildProcess) {
    this.#child = child;
    this.#exited = once(child, 'exit');
    this.#ended = this.#exited.then(() => {
      throw new Error(`${file} ended: ${child.signalCode ?? child.exitCode}`);
    });
    this.#ended.catch(() => {});
  }

  /** Starts a compiled file, relative to bench/. */
  static start(file: string): BenchChild {
    const child = fork(fileURLToPath(new URL(file, import.meta.url)), {
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    killAtExit(child);
    return new BenchChild(file, child);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async ask<T>(request: object): Promise<T> {
    const answer = once(this.#child, 'message').then(([message]) => message as T);
    this.#child.send(request);
    return Promise.race([answer, this.#ended]);
  }

  async stop(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    await this.#exited;
  }
}

/** The other side: handles one request at a time, ends with its parent. */
export function serveParent<R>(handle: (request: R) => Promise<unknown>): void {
  process.on('message', (request) => {
    handle(request as R).then(
      (answer) => process.send?.(answer ?? {}),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
  process.on('disconnect', () => process.exit(0));
}
