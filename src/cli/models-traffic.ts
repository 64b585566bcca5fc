import type { TrafficShare } from '../../clients/typescript/src/index.js';
import type { Command } from './command.js';
import { CONNECTION_FLAGS, withClient } from './connection-flags.js';
import { EXIT } from './exit-codes.js';
import { parseFlags } from './flags.js';
import { printRouting } from './model-routing.js';
import { UsageError } from './usage-error.js';

const FLAGS = {
  latest: {
    kind: 'switch',
    help: 'send all requests to the highest version, and to each higher one that comes',
  },
  json: { kind: 'switch', help: 'print a JSON line on a terminal too, as in a pipe' },
  ...CONNECTION_FLAGS,
} as const;

export const modelsTraffic: Command = {
  name: 'models traffic',
  usage: 'MODEL VERSION=PERCENT ... [flags]',
  description:
    'Divides the requests for a model of a running server that name no version. The shares are whole percent, 100 together;\n' +
    'a version that is left out gets none. A change moves as few callers as it can, and lasts beyond the end of the server.\n' +
    'Needs an API key with the scope admin, or, where the server has no keys, to run on the same machine.',
  flags: FLAGS,
  examples: [
    'models traffic sentiment 1=90 2=10',
    'models traffic sentiment 2=100',
    'models traffic sentiment --latest',
  ],
  async run(argv, context) {
    const { values, positionals } = parseFlags(FLAGS, argv);
    const [model, ...given] = positionals;
    if (model === undefined)
      throw new UsageError('give a model, and its versions with their percent: 1=90 2=10');
    if (values.latest === given.length > 0)
      throw new UsageError('give the versions with their percent, such as 1=90 2=10, or --latest');
    const traffic = given.map(share);
    return withClient(values, context, async (client) => {
      const changed = await client.setTraffic(model, traffic, { signal: context.interruption() });
      await printRouting(context, changed, values.json);
      return EXIT.ok;
    });
  },
};

function share(words: string): TrafficShare {
  const [, version = '', percent = ''] = /^([^=]+)=(\d{1,3})%?$/.exec(words) ?? [];
  if (version === '') throw new UsageError('a share is VERSION=PERCENT, such as 2=10');
  return { version, percent: Number(percent) };
}
