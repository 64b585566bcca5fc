import type { Command } from './command.js';
import { CONNECTION_FLAGS, withClient } from './connection-flags.js';
import { EXIT } from './exit-codes.js';
import { parseFlags } from './flags.js';
import { printRouting } from './model-routing.js';
import { UsageError } from './usage-error.js';

const FLAGS = {
  'max-errors': {
    kind: 'number',
    value: 'PERCENT',
    min: 0,
    help: 'the highest share of inputs that may fail (default: failures do not matter)',
  },
  'max-flips': {
    kind: 'number',
    value: 'PERCENT',
    min: 0,
    help: 'the highest share of inputs that may get other labels than from the stable version (default: labels do not matter)',
  },
  observations: {
    kind: 'number',
    value: 'NUMBER',
    integer: true,
    min: 10,
    help: 'the fewest inputs that a limit is judged by (default 50)',
  },
  window: {
    kind: 'number',
    value: 'SECONDS',
    integer: true,
    min: 10,
    help: 'how far back inputs count (default 300)',
  },
  off: { kind: 'switch', help: 'take the rule away' },
  json: { kind: 'switch', help: 'print a JSON line on a terminal too, as in a pipe' },
  ...CONNECTION_FLAGS,
} as const;

export const modelsRollback: Command = {
  name: 'models rollback',
  usage: 'MODEL CANDIDATE STABLE [flags]',
  description:
    'Sets when a candidate loses its traffic: once more of its inputs fail, or get other labels than from the stable version, than\n' +
    'a limit allows. Its share then goes to the stable version until models traffic gives it one again.\n' +
    'Needs an API key with the scope admin, or, where the server has no keys, to run on the same machine.',
  flags: FLAGS,
  examples: [
    'models rollback sentiment 2 1 --max-errors 1 --max-flips 5',
    'models traffic sentiment 1=90 2=10',
    'models rollback sentiment --off',
  ],
  async run(argv, context) {
    const { values, positionals } = parseFlags(FLAGS, argv);
    const [model, version, stableVersion] = positionals;
    if (model === undefined || positionals.length !== (values.off ? 1 : 3))
      throw new UsageError(
        'give a model, the candidate and the stable version, such as sentiment 2 1, or a model and --off',
      );
    const { 'max-errors': maxErrorPercent, 'max-flips': maxFlipPercent } = values;
    if (!values.off && maxErrorPercent === undefined && maxFlipPercent === undefined)
      throw new UsageError('give --max-errors or --max-flips');
    return withClient(values, context, async (client) => {
      const options = { signal: context.interruption() };
      const { observations: minObservations, window: windowSeconds } = values;
      const limits = {
        ...{ version: version ?? '', stableVersion: stableVersion ?? '', maxErrorPercent, maxFlipPercent },
        ...{ minObservations, windowSeconds },
      };
      const changed = values.off
        ? await client.deleteRollback(model, options)
        : await client.setRollback(model, limits, options);
      await printRouting(context, changed, values.json);
      return EXIT.ok;
    });
  },
};
