import type { StageTime, VersionStatistics } from '../../clients/typescript/src/index.js';
import type { Command } from './command.js';
import { CONNECTION_FLAGS, withClient } from './connection-flags.js';
import { EXIT } from './exit-codes.js';
import { parseFlags } from './flags.js';
import { fileSize, whole } from './output/counted.js';
import { LineWriter } from './output/line-writer.js';
import { table, widthOf } from './output/table.js';
import { UsageError } from './usage-error.js';

const FLAGS = {
  version: {
    kind: 'text',
    value: 'VERSION',
    help: 'tell of this version alone, or of the one that this alias stands for',
  },
  json: { kind: 'switch', help: 'print JSON lines on a terminal too, as in a pipe' },
  ...CONNECTION_FLAGS,
} as const;

/** One version of one model. */
type Row = VersionStatistics & { readonly model: string };

export const modelsStats: Command = {
  name: 'models stats',
  usage: '[MODEL] [flags]',
  description:
    'Tells what the versions of a model of a running server have done, or those of all models: inputs, cache, batches, time, memory.\n' +
    'A pipe gets a JSON object per line for each version, with everything that is counted.',
  flags: FLAGS,
  examples: [
    'models stats',
    'models stats sentiment --version champion',
    "models stats | jq '[.model, .version, .stages.queue.totalMs / .stages.queue.inputs]'",
  ],
  async run(argv, context) {
    const { values, positionals } = parseFlags(FLAGS, argv);
    const [model, ...others] = positionals;
    if (others.length > 0) throw new UsageError('give one model, or none for all');
    const { version } = values;
    if (model === undefined && version !== undefined)
      throw new UsageError('give the model that the version is of');
    return withClient(values, context, async (client) => {
      const signal = context.interruption();
      const models =
        model === undefined ? (await client.listModels({ signal })).map(({ name }) => name) : [model];
      const rows: Row[] = [];
      for (const name of models) {
        const versions = await client.getModelStatistics(name, { version, signal });
        rows.push(...versions.map((one) => ({ model: name, ...one })));
      }
      const { stdout } = context;
      const isTable = stdout.isTTY === true && !values.json;
      const lines = isTable ? table(cells(rows), widthOf(stdout)) : rows.map((row) => JSON.stringify(row));
      await LineWriter.print(stdout, lines);
      return EXIT.ok;
    });
  },
};

/** The most important columns come first: a narrow terminal cuts the others. */
function cells(rows: readonly Row[]): string[][] {
  return [
    [
      'MODEL',
      'VERSION',
      'ANSWERED',
      'CACHED',
      'FAILED',
      'TOTAL',
      'QUEUE',
      'RUN',
      'BATCH',
      'MEMORY',
      'LAST USED',
    ],
    ...rows.map(({ model, version, answered, cache, failed, batches, stages, memoryBytes, lastUsed }) => [
      ...[model, version, whole(answered), share(cache.lru + cache.redis, answered), whole(failed)],
      ...[stages.total, stages.queue, stages.inference].map(meanMs),
      mean(batches.inputs, batches.batches),
      memoryBytes === 0 ? '' : fileSize(memoryBytes),
      lastUsed?.toISOString().replace(/\.\d+Z$/, 'Z') ?? 'never',
    ]),
  ];
}

function share(part: number, all: number): string {
  return all === 0 ? '' : `${Math.round((100 * part) / all)}%`;
}

function mean(sum: number, count: number): string {
  return count === 0 ? '' : (sum / count).toFixed(1);
}

function meanMs({ totalMs, inputs }: StageTime): string {
  const ms = mean(totalMs, inputs);
  return ms === '' ? '' : `${ms} ms`;
}
