import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A process of the bench that answers requests over IPC, one at a time: load generators and references. */
export class BenchChild {
  readonly #child: ChildProcess;
  /** Rejects when the process ends, which it does not before it is told to. */
  readonly #ended: Promise<never>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#ended = once(child, 'exit').then(([code, signal]) => {
      throw new Error(`a bench process ended: ${signal ?? code}`);
    });
    this.#ended.catch(() => {});
  }

  /** Starts a compiled file of the bench. */
  static start(file: string): BenchChild {
    const child = fork(fileURLToPath(new URL(file, import.meta.url)), {
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    return new BenchChild(child);
  }

  async ask<T>(request: unknown): Promise<T> {
    const answer = once(this.#child, 'message').then(([message]) => message as T);
    this.#child.send(request as object);
    return Promise.race([answer, this.#ended]);
  }

  async stop(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.disconnect();
    await exited;
  }
}

/** The other side: handles one request at a time, ends with its parent. */
export function serveParent(handle: (request: never) => Promise<unknown>): void {
  process.on('message', (request) => {
    handle(request as never).then(
      (answer) => process.send?.(answer ?? { ok: true }),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
  process.on('disconnect', () => process.exit(0));
}
