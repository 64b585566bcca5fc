import type { CommandEntry } from './commands.js';
import type { CliContext } from './context.js';
import { EXIT } from './exit-codes.js';
import { commandHelp, overview } from './help.js';
import { LineWriter } from './output/line-writer.js';
import { OutputClosedError, OutputFailedError, UsageError } from './usage-error.js';

/** What `run` gets besides the arguments, so that it need not know the package or the server. */
export interface CommandLine {
  readonly version: string;
  readonly commands: readonly CommandEntry[];
  /** `verdict serve`: it reads its own flags and handles signals itself. Resolves with the exit code. */
  readonly serve: (argv: string[]) => Promise<number>;
}

const SERVE = { name: 'serve', summary: 'start the server; serve --help lists its flags' };

/** Runs one command line. Errors that users can fix become a message and an exit code; bugs reject. */
export async function run(
  argv: readonly string[],
  { version, commands, serve }: CommandLine,
  context: CliContext,
): Promise<number> {
  const { stdout, stderr } = context;
  const words = argv[0] === 'help' ? [...argv.slice(1), '--help'] : argv;
  const help = overview([SERVE, ...commands]);
  try {
    if (words[0] === 'serve') return await serve(words.slice(1));
    if (words[0] === '--version' || words[0] === '--help') {
      await LineWriter.print(stdout, [words[0] === '--help' ? help : version]);
      return EXIT.ok;
    }
    const entry = commands.find(({ name }) => name.split(' ').every((word, at) => words[at] === word));
    if (entry === undefined) {
      stderr.write(words.length === 0 ? `${help}\n` : `${unknownCommand(words, commands)}\n`);
      return EXIT.usage;
    }
    return await runCommand(entry, words.slice(entry.name.split(' ').length), context);
  } catch (error) {
    if (error instanceof OutputClosedError) return EXIT.ok;
    if (!(error instanceof OutputFailedError)) throw error;
    stderr.write(`verdict: ${error.message}\n`);
    return EXIT.outputFailed;
  }
}

async function runCommand(
  entry: CommandEntry,
  argv: readonly string[],
  context: CliContext,
): Promise<number> {
  const command = await entry.load();
  const end = argv.indexOf('--');
  if (argv.slice(0, end === -1 ? undefined : end).includes('--help')) {
    await LineWriter.print(context.stdout, [commandHelp(command)]);
    return EXIT.ok;
  }
  try {
    return await command.run(argv, context);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    context.stderr.write(`verdict ${command.name}: ${error.message}\n`);
    context.stderr.write(`(verdict ${command.name} --help lists the flags)\n`);
    return EXIT.usage;
  }
}

function unknownCommand(words: readonly string[], commands: readonly CommandEntry[]): string {
  const siblings = commands.filter(({ name }) => name.startsWith(`${words[0]} `)).map(({ name }) => name);
  if (siblings.length > 0)
    return `verdict ${words[0]} needs a subcommand: ${siblings.map((s) => `verdict ${s}`).join(', ')}`;
  return `verdict: unknown command "${words[0]}" (verdict --help lists the commands)`;
}
