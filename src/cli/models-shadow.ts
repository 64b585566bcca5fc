import type { Command } from './command.js';
import { CONNECTION_FLAGS, withClient } from './connection-flags.js';
import { EXIT } from './exit-codes.js';
import { parseFlags } from './flags.js';
import { printRouting } from './model-routing.js';
import { UsageError } from './usage-error.js';

const FLAGS = {
  off: { kind: 'switch', help: 'end the shadow of the model' },
  json: { kind: 'switch', help: 'print a JSON line on a terminal too, as in a pipe' },
  ...CONNECTION_FLAGS,
} as const;

export const modelsShadow: Command = {
  name: 'models shadow',
  usage: 'MODEL VERSION PERCENT [flags]',
  description:
    'Has a version of a model of a running server asked a share of what other versions have answered, and compares the answers.\n' +
    'Callers get nothing of it and do not wait for it. It lasts beyond the end of the server; what was compared does not.\n' +
    'Needs an API key with the scope admin, or, where the server has no keys, to run on the same machine.',
  flags: FLAGS,
  examples: ['models shadow sentiment 2 10', 'models compare sentiment', 'models shadow sentiment --off'],
  async run(argv, context) {
    const { values, positionals } = parseFlags(FLAGS, argv);
    const [model, version, percent, ...others] = positionals;
    const wanted = values.off ? 1 : 3;
    if (model === undefined || positionals.length !== wanted || others.length > 0)
      throw new UsageError(
        'give a model, a version and a percentage, such as sentiment 2 10, or a model and --off',
      );
    const share = values.off ? 0 : percentIn(percent ?? '');
    return withClient(values, context, async (client) => {
      const options = { signal: context.interruption() };
      const changed = values.off
        ? await client.endShadow(model, options)
        : await client.setShadow(model, version ?? '', share, options);
      await printRouting(context, changed, values.json);
      return EXIT.ok;
    });
  },
};

function percentIn(words: string): number {
  const [, digits] = /^(\d{1,3})%?$/.exec(words) ?? [];
  const percent = Number(digits ?? 0);
  if (percent < 1 || percent > 100)
    throw new UsageError('a percentage is a whole number from 1 to 100, such as 10');
  return percent;
}
