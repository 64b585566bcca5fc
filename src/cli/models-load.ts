import type { Command } from './command.js';
import { CONNECTION_FLAGS, withClient } from './connection-flags.js';
import { EXIT } from './exit-codes.js';
import { parseFlags } from './flags.js';
import { printRouting } from './model-routing.js';
import { UsageError } from './usage-error.js';

const FLAGS = {
  json: { kind: 'switch', help: 'print a JSON line on a terminal too, as in a pipe' },
  ...CONNECTION_FLAGS,
} as const;

export const modelsLoad: Command = {
  name: 'models load',
  usage: 'MODEL [flags]',
  description:
    'Has a running server load a model, so that the first request for it need not wait. The least recently used model makes\n' +
    'room. Needs the scope admin. Waits up to ten minutes; the server goes on if this is interrupted.',
  flags: FLAGS,
  examples: ['models load intent'],
  async run(argv, context) {
    const { values, positionals } = parseFlags(FLAGS, argv);
    const [model, ...others] = positionals;
    if (model === undefined || others.length > 0) throw new UsageError('give one model');
    return withClient(values, context, async (client) => {
      const timeoutMs = values['timeout-ms'];
      const loaded = await client.loadModel(model, { signal: context.interruption(), timeoutMs });
      await printRouting(context, loaded, values.json);
      return EXIT.ok;
    });
  },
};
