import type { ForgetResult } from '../../clients/typescript/src/index.js';
import type { Command } from './command.js';
import { CONNECTION_FLAGS, withClient } from './connection-flags.js';
import type { CliContext } from './context.js';
import { EXIT } from './exit-codes.js';
import { parseFlags } from './flags.js';
import { LineWriter } from './output/line-writer.js';
import { table, widthOf } from './output/table.js';
import { readText } from './read-text.js';
import { UsageError } from './usage-error.js';

const FLAGS = {
  model: { kind: 'text', value: 'NAME', help: 'forget the answers of this model alone (default: of all)' },
  input: {
    kind: 'text',
    value: 'FILE',
    help: 'read the text from a file, which keeps it out of the history of the shell; - is standard input',
  },
  pair: { kind: 'text', value: 'TEXT', help: 'the second text, of a pair that was classified together' },
  'pair-input': { kind: 'text', value: 'FILE', help: 'read the second text from a file' },
  caller: {
    kind: 'text',
    value: 'NAME',
    help: 'forget the answers of one more caller with a cache of its own, such as jwt:alice (default: of those that the server knows)',
  },
  json: { kind: 'switch', help: 'print a JSON line on a terminal too, as in a pipe' },
  ...CONNECTION_FLAGS,
} as const;

export const cacheForget: Command = {
  name: 'cache forget',
  usage: '[TEXT] [flags]',
  description:
    'Removes the answers for a text from the cache of a running server: from its memory and from Redis, under every version\n' +
    'that is loaded. Give the text exactly as it was classified. Other servers keep what is in their memory: run it for each.\n' +
    'Needs an API key with the scope admin, or, where the server has no keys, to run on the same machine.',
  flags: FLAGS,
  examples: [
    'cache forget --input letter.txt',
    'cache forget --model sentiment --input - < letter.txt',
    "cache forget 'This movie was absolutely fantastic!'",
  ],
  async run(argv, context) {
    const { values, positionals } = parseFlags(FLAGS, argv);
    const [given, ...others] = positionals;
    if (others.length > 0) throw new UsageError('give one text; quote it');
    if (values.input === '-' && values['pair-input'] === '-')
      throw new UsageError('--input and --pair-input cannot both be standard input');
    const text = await textOf(given, values.input, 'TEXT and --input', context);
    const textPair = await textOf(values.pair, values['pair-input'], '--pair and --pair-input', context);
    if (text === undefined) throw new UsageError('give a text, or --input FILE');
    const { model, caller, json } = values;
    return withClient(values, context, async (client) => {
      const signal = context.interruption();
      const result = await client.forget({ text, textPair }, { model, caller, signal });
      await print(context, result, json);
      return EXIT.ok;
    });
  },
};

async function textOf(
  given: string | undefined,
  path: string | undefined,
  both: string,
  { stdin }: CliContext,
): Promise<string | undefined> {
  if (path === undefined) return given;
  if (given !== undefined) throw new UsageError(`${both} exclude each other`);
  return readText(path, stdin);
}

async function print({ stdout }: CliContext, result: ForgetResult, asJson: boolean): Promise<void> {
  const isTable = stdout.isTTY === true && !asJson;
  await LineWriter.print(stdout, isTable ? lines(result, widthOf(stdout)) : [JSON.stringify(result)]);
}

function lines(
  { versions, removedFromMemory, removedFromRedis, othersExpireSeconds }: ForgetResult,
  width: number,
): string[] {
  const rows = versions.map(({ model, version, digest }) => [model, version, digest]);
  const others =
    othersExpireSeconds === 0
      ? []
      : [`Answers of versions that are not loaded leave Redis within ${othersExpireSeconds} s.`];
  return [
    ...table([['MODEL', 'VERSION', 'DIGEST'], ...rows], width),
    `Removed ${removedFromMemory} from the memory of this server, ${removedFromRedis} from Redis.`,
    ...others,
  ];
}
