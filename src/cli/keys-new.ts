import { createSecretKey } from 'node:crypto';
import { cacheSharings } from '../auth/cache-sharing.js';
import { hashOfKey, keyIdPattern, newKey } from '../auth/key-format.js';
import { type Scope, scopes } from '../auth/scopes.js';
import { withEntry } from '../config/key-file-text.js';
import { modelName } from '../config/text-rules.js';
import type { RateLimits } from '../ratelimit/types.js';
import type { Command } from './command.js';
import { EXIT } from './exit-codes.js';
import { parseFlags } from './flags.js';
import { editKeyFile } from './keys/edit-key-file.js';
import { expiryOf } from './keys/expiry.js';
import { KEY_FILE_FLAG, keyFilePath } from './keys/key-file-flag.js';
import { LineWriter } from './output/line-writer.js';
import { UsageError } from './usage-error.js';

const maxLimit = 1_000_000_000;

const limitFlag = (what: string) =>
  ({
    kind: 'number',
    integer: true,
    min: 0,
    value: 'N',
    help: `its limit of ${what}; 0: none (default without any of the three: the server's limits)`,
  }) as const;

const FLAGS = {
  id: { kind: 'text', value: 'ID', help: 'what the key is called: 1 to 32 of a-z, 0-9 and "-"' },
  scopes: {
    kind: 'text',
    value: 'LIST',
    help: `what it is good for, of ${scopes.join(', ')} (default classify)`,
  },
  models: { kind: 'text', value: 'LIST', help: 'the models that it may use (default: all)' },
  weight: {
    kind: 'number',
    integer: true,
    min: 1,
    value: 'N',
    help: 'its share of the sessions, where other callers have 1 (default 1)',
  },
  cache: {
    kind: 'choice',
    choices: cacheSharings,
    help: "whose cached answers it gets: everybody's, its own, or none (default: as the server says)",
  },
  'requests-per-minute': limitFlag('inputs a minute'),
  'tokens-per-minute': limitFlag('tokens a minute'),
  'texts-in-flight': limitFlag('inputs at once'),
  expires: {
    kind: 'text',
    value: 'TIME',
    help: 'when it ends: a date, a time in UTC, or 90d or 12h from now (default: never)',
  },
  ...KEY_FILE_FLAG,
} as const;

export const keysNew: Command = {
  name: 'keys new',
  usage: '--id ID [flags]',
  description:
    'Makes an API key, adds it to the key file, and prints it: once, as the file holds only its hash. Makes the file if\n' +
    'it is not there. A server that uses the file takes the key within two seconds.',
  flags: FLAGS,
  examples: [
    'keys new --id search --file keys.yaml',
    'keys new --id prometheus --scopes metrics --file keys.yaml > prometheus.key',
    'keys new --id trial --models sentiment,topics --expires 30d --file keys.yaml',
  ],
  async run(argv, context) {
    const { values, positionals } = parseFlags(FLAGS, argv);
    if (positionals.length > 0) throw new UsageError('this command takes no arguments');
    const { id } = values;
    if (id === undefined || !keyIdPattern.test(id)) {
      throw new UsageError('--id must be 1 to 32 of a-z, 0-9 and "-", and start with a letter or a digit');
    }
    const fields = {
      id,
      scopes: scopesIn(values.scopes ?? 'classify'),
      models: values.models === undefined ? undefined : modelsIn(values.models),
      limits: limitsIn({
        requestsPerMinute: values['requests-per-minute'],
        tokensPerMinute: values['tokens-per-minute'],
        textsInFlight: values['texts-in-flight'],
      }),
      cache: cacheSharings.find((known) => known === values.cache),
      weight: weightIn(values.weight),
      expires: values.expires === undefined ? undefined : expiryOf(values.expires, Date.now()),
    };
    const path = keyFilePath(values.file, context);
    const key = newKey(id);
    await editKeyFile(path, { creates: true }, async ({ text, file }) => {
      if (file.keys.some((entry) => entry.id === id)) {
        throw new UsageError(`there is a key of the id ${id} in ${path}; revoke it, or take another id`);
      }
      const hash = hashOfKey(key, createSecretKey(file.secret, 'base64url')).toString('base64url');
      return withEntry(text, { ...fields, hash });
    });
    context.stderr.write(`Added ${id} to ${path}. This is the only time that its key is shown:\n`);
    await LineWriter.print(context.stdout, [key]);
    return EXIT.ok;
  },
};

function scopesIn(list: string): Scope[] {
  return partsOf(list).map((part) => {
    const scope = scopes.find((known) => known === part);
    if (scope === undefined) throw new UsageError(`--scopes must be of ${scopes.join(', ')}`);
    return scope;
  });
}

function modelsIn(list: string): string[] {
  const models = partsOf(list);
  if (!models.every(modelName.test)) throw new UsageError('--models must be names of models');
  return models;
}

/** Undefined: the key has no limits of its own. */
function limitsIn(
  limits: Readonly<Record<keyof RateLimits, number | undefined>>,
): Partial<RateLimits> | undefined {
  const given = Object.entries(limits).filter(([, limit]) => limit !== undefined);
  if (given.some(([, limit]) => (limit ?? 0) > maxLimit))
    throw new UsageError(`a limit must be at most ${maxLimit}`);
  return given.length === 0 ? undefined : Object.fromEntries(given);
}

function weightIn(weight: number | undefined): number | undefined {
  if (weight === undefined || weight <= 1_000) return weight;
  throw new UsageError('--weight must be at most 1000');
}

/** Each once. */
function partsOf(list: string): string[] {
  return [...new Set(list.split(',').map((part) => part.trim()))];
}
