import type { Model } from '../../clients/typescript/src/index.js';
import type { Command } from './command.js';
import { CONNECTION_FLAGS, withClient } from './connection-flags.js';
import { EXIT } from './exit-codes.js';
import { parseFlags } from './flags.js';
import { LineWriter } from './output/line-writer.js';
import { table, widthOf } from './output/table.js';
import { UsageError } from './usage-error.js';

const FLAGS = {
  json: { kind: 'switch', help: 'print JSON lines on a terminal too, as in a pipe' },
  ...CONNECTION_FLAGS,
} as const;

export const modelsList: Command = {
  name: 'models list',
  usage: '[flags]',
  description:
    'Lists the models of a running server with their versions. A pipe gets a JSON object per line for each model,\n' +
    'with its labels, limits and measured cost.',
  flags: FLAGS,
  examples: ['models list', 'models list --json | jq -r .name'],
  async run(argv, context) {
    const { values, positionals } = parseFlags(FLAGS, argv);
    if (positionals.length > 0) throw new UsageError('this command takes no arguments');
    return withClient(values, context, async (client) => {
      const models = await client.listModels({ signal: context.interruption() });
      const { stdout } = context;
      const lines =
        values.json || stdout.isTTY !== true
          ? models.map((model) => JSON.stringify(model))
          : table(rows(models), widthOf(stdout));
      await LineWriter.print(stdout, lines);
      return EXIT.ok;
    });
  },
};

function rows(models: readonly Model[]): string[][] {
  const header = ['MODEL', 'VERSION', 'STATE', 'LABELS', 'TOKENS', 'PRECISION', 'DEVICE', 'INSTANCES', ''];
  const versions = models.flatMap(({ name, isDefault, servingVersion, versions }) =>
    versions.map((version) => [
      name,
      version.version,
      version.state,
      String(version.labels.length),
      String(version.limits.maxTokens),
      version.precision,
      version.device,
      `${version.readyInstances}/${version.instances}`,
      isDefault && version.version === servingVersion ? 'default' : version.stateReason,
    ]),
  );
  return [header, ...versions];
}
