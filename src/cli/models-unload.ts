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

export const modelsUnload: Command = {
  name: 'models unload',
  usage: 'MODEL [flags]',
  description:
    'Has a running server unload a model, so that its memory is free. It answers what it holds; the next request loads it\n' +
    'again. A pinned model stays loaded. Needs the scope admin.',
  flags: FLAGS,
  examples: ['models unload intent'],
  async run(argv, context) {
    const { values, positionals } = parseFlags(FLAGS, argv);
    const [model, ...others] = positionals;
    if (model === undefined || others.length > 0) throw new UsageError('give one model');
    return withClient(values, context, async (client) => {
      const timeoutMs = values['timeout-ms'];
      const unloaded = await client.unloadModel(model, { signal: context.interruption(), timeoutMs });
      await printRouting(context, unloaded, values.json);
      return EXIT.ok;
    });
  },
};
