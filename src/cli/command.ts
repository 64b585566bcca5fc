import type { CliContext } from './context.js';
import type { Flags } from './flags.js';

/** One command of the command line. */
export interface Command {
  /** As it is typed: `models list`. */
  readonly name: string;
  /** The arguments, as help shows them: `[TEXT ...] [flags]`. */
  readonly usage: string;
  /** A sentence or two. */
  readonly description: string;
  readonly flags: Flags;
  /** Working command lines, without `npx verdict`. */
  readonly examples: readonly string[];
  /** Runs the command. Returns the exit code. */
  run(argv: readonly string[], context: CliContext): Promise<number>;
}
