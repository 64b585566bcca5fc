import type { Readable, Writable } from 'node:stream';

/** A stream to write to, and whether it is a terminal. */
export type Terminal = Writable & {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
};

/** Everything that a command uses of its process, so that tests can run commands without one. */
export interface CliContext {
  readonly stdin: Readable;
  readonly stdout: Terminal;
  readonly stderr: Terminal;
  /** A variable of the environment; an empty one counts as absent. */
  env(name: string): string | undefined;
  /** Aborts on Ctrl-C from the first call on; before that, Ctrl-C ends the process as usual. */
  interruption(): AbortSignal;
}
