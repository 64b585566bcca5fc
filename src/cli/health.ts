import type { Command } from './command.js';
import { CONNECTION_FLAGS, withClient } from './connection-flags.js';
import { EXIT } from './exit-codes.js';
import { parseFlags } from './flags.js';
import { LineWriter } from './output/line-writer.js';
import { UsageError } from './usage-error.js';

export const health: Command = {
  name: 'health',
  usage: '[SERVICE] [flags]',
  description:
    'Asks a running server whether it can serve: the server as a whole, or one service, such as\n' +
    'verdict.v1.ClassifierService or models/sentiment. Exits with 0 if it can, 1 if not, 3 if it cannot be reached.',
  flags: CONNECTION_FLAGS,
  examples: ['health', 'health models/sentiment', 'health --address verdict.internal:50051'],
  async run(argv, context) {
    const { values, positionals } = parseFlags(CONNECTION_FLAGS, argv);
    const [service = '', ...others] = positionals;
    if (others.length > 0) throw new UsageError('give at most one service');
    return withClient(values, context, async (client) => {
      const status = await client.health(service, { signal: context.interruption() });
      const { stdout } = context;
      await LineWriter.print(stdout, [stdout.isTTY === true ? status : JSON.stringify({ service, status })]);
      return status === 'serving' ? EXIT.ok : EXIT.incomplete;
    });
  },
};
