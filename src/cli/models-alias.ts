import type { Command } from './command.js';
import { CONNECTION_FLAGS, withClient } from './connection-flags.js';
import { EXIT } from './exit-codes.js';
import { parseFlags } from './flags.js';
import { printRouting } from './model-routing.js';
import { UsageError } from './usage-error.js';

const FLAGS = {
  delete: { kind: 'text', value: 'ALIAS', help: 'take this alias away' },
  json: { kind: 'switch', help: 'print a JSON line on a terminal too, as in a pipe' },
  ...CONNECTION_FLAGS,
} as const;

export const modelsAlias: Command = {
  name: 'models alias',
  usage: 'MODEL ALIAS=VERSION [flags]',
  description:
    'Gives a version of a model of a running server another name, which requests may use in place of its number, or moves a name\n' +
    'to another version. Aliases start with a letter. They last beyond the end of the server.\n' +
    'Needs an API key with the scope admin, or, where the server has no keys, to run on the same machine.',
  flags: FLAGS,
  examples: [
    'models alias sentiment champion=2',
    'models alias sentiment --delete challenger',
    'classify --version champion "a gripping film"',
  ],
  async run(argv, context) {
    const { values, positionals } = parseFlags(FLAGS, argv);
    const [model, given, ...others] = positionals;
    if (model === undefined || others.length > 0 || (given === undefined) === (values.delete === undefined))
      throw new UsageError(
        'give a model, and one alias with its version, such as champion=2, or --delete ALIAS',
      );
    const change = given === undefined ? undefined : assignment(given);
    return withClient(values, context, async (client) => {
      const options = { signal: context.interruption() };
      const changed =
        change === undefined
          ? await client.deleteAlias(model, values.delete ?? '', options)
          : await client.setAlias(model, change.alias, change.version, options);
      await printRouting(context, changed, values.json);
      return EXIT.ok;
    });
  },
};

function assignment(words: string): { readonly alias: string; readonly version: string } {
  const [, alias, version] = /^([^=]+)=([^=]+)$/.exec(words) ?? [];
  if (alias === undefined || version === undefined)
    throw new UsageError('an alias is given as ALIAS=VERSION, such as champion=2');
  return { alias, version };
}
