import type { ModelReload } from '../../clients/typescript/src/index.js';
import type { Command } from './command.js';
import { CONNECTION_FLAGS, withClient } from './connection-flags.js';
import { EXIT } from './exit-codes.js';
import { parseFlags } from './flags.js';
import { LineWriter } from './output/line-writer.js';
import { table, widthOf } from './output/table.js';

const FLAGS = {
  json: { kind: 'switch', help: 'print JSON lines on a terminal too, as in a pipe' },
  ...CONNECTION_FLAGS,
} as const;

export const modelsReload: Command = {
  name: 'models reload',
  usage: '[MODEL ...] [flags]',
  description:
    'Has a running server load what has changed in its models folder: these models, or all. Needs the scope admin. A pipe\n' +
    'gets a JSON object per line for each model. Waits up to ten minutes; the server goes on if this is interrupted.',
  flags: FLAGS,
  examples: [
    'models reload',
    'models reload sentiment intent',
    'models reload | jq \'select(.outcome == "failed")\'',
  ],
  async run(argv, context) {
    const { values, positionals } = parseFlags(FLAGS, argv);
    return withClient(values, context, async (client) => {
      const timeoutMs = values['timeout-ms'];
      const reloads = await client.reloadModels(positionals, { signal: context.interruption(), timeoutMs });
      const { stdout } = context;
      const lines =
        values.json || stdout.isTTY !== true
          ? reloads.map((reload) => JSON.stringify(reload))
          : table(rows(reloads), widthOf(stdout));
      await LineWriter.print(stdout, lines);
      return reloads.some(({ outcome }) => outcome === 'failed') ? EXIT.incomplete : EXIT.ok;
    });
  },
};

function rows(reloads: readonly ModelReload[]): string[][] {
  return [
    ['MODEL', 'OUTCOME', 'VERSION', 'RETIRED', 'LABELS FLIPPED', 'OF THE LATEST', ''],
    ...reloads.map(({ model, outcome, version, retiredVersions, labelFlips, warmUp, reason }) => [
      model,
      outcome,
      version,
      retiredVersions.join(', '),
      labelFlips === undefined ? '' : `${labelFlips.flipped} of ${labelFlips.compared}`,
      warmUp === undefined ? '' : `${warmUp.flipped} of ${warmUp.compared}`,
      reason,
    ]),
  ];
}
