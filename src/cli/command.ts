import type { CliContext } from './context.js';
import type { Flags } from './flags.js';

/** One command of the command line. */
export interface Command {
  /** As it is typed: `models list`. */
  readonly name: string;
  /** What follows the name, as help shows it: `[TEXT ...] [flags]`. */
  readonly usage: string;
  /** A sentence or two. */
  readonly description: string;
  readonly flags: Flags;
  /** Command lines that work, without `npx verdict`. */
  readonly examples: readonly string[];
  /** Does it. Returns the exit code. */
  run(argv: readonly string[], context: CliContext): Promise<number>;
}
