import type { KeyEntry } from '../auth/types.js';
import type { RateLimits } from '../ratelimit/types.js';
import type { Command } from './command.js';
import { EXIT } from './exit-codes.js';
import { parseFlags } from './flags.js';
import { KEY_FILE_FLAG, keyFilePath } from './keys/key-file-flag.js';
import { readKeyFile } from './keys/read-key-file.js';
import { LineWriter } from './output/line-writer.js';
import { table, widthOf } from './output/table.js';
import { UsageError } from './usage-error.js';

const FLAGS = {
  json: { kind: 'switch', help: 'print JSON lines on a terminal too, as in a pipe' },
  ...KEY_FILE_FLAG,
} as const;

export const keysList: Command = {
  name: 'keys list',
  usage: '[flags]',
  description: 'Lists the API keys of a key file: what they are good for and when they end. Shows no hash.',
  flags: FLAGS,
  examples: ['keys list --file keys.yaml', "keys list --json | jq -r 'select(.expired) | .id'"],
  async run(argv, context) {
    const { values, positionals } = parseFlags(FLAGS, argv);
    if (positionals.length > 0) throw new UsageError('this command takes no arguments');
    const { file } = await readKeyFile(keyFilePath(values.file, context));
    const keys = file.keys.map((entry) => shown(entry, Date.now()));
    const { stdout } = context;
    const lines =
      values.json || stdout.isTTY !== true
        ? keys.map((key) => JSON.stringify(key))
        : table(rows(keys), widthOf(stdout));
    await LineWriter.print(stdout, lines);
    return EXIT.ok;
  },
};

/** What may be shown of a key. */
function shown({ id, scopes, models, limits, cache, weight, expiresAt }: KeyEntry, now: number) {
  return {
    id,
    scopes,
    models: models ?? null,
    weight,
    limits: limits ?? null,
    cache: cache ?? null,
    expires: expiresAt === Number.POSITIVE_INFINITY ? null : new Date(expiresAt).toISOString(),
    expired: expiresAt <= now,
  };
}

/** `600 inputs/min, 32 at once`. */
function limitsText(limits: RateLimits | null): string {
  if (limits === null) return "the server's";
  const parts = [
    limits.requestsPerMinute > 0 ? `${limits.requestsPerMinute} inputs/min` : '',
    limits.tokensPerMinute > 0 ? `${limits.tokensPerMinute} tokens/min` : '',
    limits.textsInFlight > 0 ? `${limits.textsInFlight} at once` : '',
  ].filter((part) => part !== '');
  return parts.length === 0 ? 'none' : parts.join(', ');
}

function rows(keys: readonly ReturnType<typeof shown>[]): string[][] {
  const header = ['ID', 'EXPIRES', 'WEIGHT', 'MODELS', 'SCOPES', 'LIMITS', 'CACHE'];
  return [
    header,
    ...keys.map(({ id, scopes, models, limits, cache, weight, expires, expired }) => [
      id,
      expired ? 'EXPIRED' : (expires ?? 'never'),
      String(weight),
      models?.join(',') ?? 'all',
      scopes.join(','),
      limitsText(limits),
      cache ?? "the server's",
    ]),
  ];
}
