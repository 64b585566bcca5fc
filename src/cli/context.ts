import type { Readable, Writable } from 'node:stream';

/** Somewhere to write, and whether somebody watches it. */
export type Terminal = Writable & {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
};

/** All that a command has of the process around it, so that tests run commands without one. */
export interface CliContext {
  readonly stdin: Readable;
  readonly stdout: Terminal;
  readonly stderr: Terminal;
  /** A variable of the environment; the empty ones count as absent. */
  env(name: string): string | undefined;
  /** Aborts on Ctrl-C from the first call on; before that Ctrl-C ends the process, as ever. */
  interruption(): AbortSignal;
}
