import type { VersionComparison } from '../../clients/typescript/src/index.js';
import type { Command } from './command.js';
import { CONNECTION_FLAGS, withClient } from './connection-flags.js';
import { EXIT } from './exit-codes.js';
import { parseFlags } from './flags.js';
import { LineWriter } from './output/line-writer.js';
import { table, widthOf } from './output/table.js';
import { UsageError } from './usage-error.js';

/** Labels, and pairs of labels, that a table shows; the JSON lines hold the others. */
const MOST_ROWS = 20;

const FLAGS = {
  candidate: { kind: 'text', value: 'VERSION', help: 'show this candidate alone (default: all)' },
  json: { kind: 'switch', help: 'print JSON lines on a terminal too, as in a pipe' },
  ...CONNECTION_FLAGS,
} as const;

export const modelsCompare: Command = {
  name: 'models compare',
  usage: 'MODEL [flags]',
  description:
    'Shows how the answers of a shadow, or of a candidate with a rollback rule, differ from those of other versions. A pipe gets\n' +
    'a JSON object per line for each two versions, with all labels. Holds no texts.\n' +
    'Needs an API key with the scope admin, or, where the server has no keys, to run on the same machine.',
  flags: FLAGS,
  examples: ['models compare sentiment', 'models compare sentiment | jq .flips'],
  async run(argv, context) {
    const { values, positionals } = parseFlags(FLAGS, argv);
    const [model, ...others] = positionals;
    if (model === undefined || others.length > 0) throw new UsageError('give one model');
    return withClient(values, context, async (client) => {
      const options = { signal: context.interruption() };
      const comparisons = await client.compareModel(model, values.candidate, options);
      const { stdout } = context;
      const lines =
        values.json || stdout.isTTY !== true
          ? comparisons.map((comparison) => JSON.stringify(comparison))
          : tables(comparisons, widthOf(stdout));
      await LineWriter.print(stdout, lines);
      return EXIT.ok;
    });
  },
};

function tables(comparisons: readonly VersionComparison[], width: number): string[] {
  if (comparisons.length === 0) return ['nothing has been compared yet'];
  const details = comparisons.flatMap((comparison) => {
    const { labels, flippedLabels } = comparison;
    return [
      ...(labels.length === 0 ? [] : ['', ...table(labelRows(comparison), width)]),
      ...(flippedLabels.length === 0 ? [] : ['', ...table(flipRows(comparison), width)]),
    ];
  });
  return [...table(summaryRows(comparisons), width), ...details];
}

function summaryRows(comparisons: readonly VersionComparison[]): string[][] {
  return [
    [
      ...['CANDIDATE', 'AGAINST', 'COMPARED', 'FAILED', 'DROPPED', 'FLIPS', 'MEAN SHIFT', 'LARGEST'],
      ...['MEDIAN MS', 'SINCE', ''],
    ],
    ...comparisons.map((comparison) => [
      comparison.candidateVersion,
      comparison.version,
      String(comparison.compared),
      String(comparison.failed),
      String(comparison.dropped),
      share(comparison.flips, comparison.compared),
      comparison.meanShift.toFixed(4),
      comparison.largestShift.toFixed(4),
      `${comparison.candidateMedianMs.toFixed(2)} / ${comparison.medianMs.toFixed(2)}`,
      comparison.since.toISOString(),
      comparison.notComparable,
    ]),
  ];
}

function labelRows({ candidateVersion, version, labels }: VersionComparison): string[][] {
  return [
    ['LABEL', `BY ${version}`, `BY ${candidateVersion}`, 'LOST', 'GAINED', 'MEAN SHIFT', 'LARGEST'],
    ...labels
      .slice(0, MOST_ROWS)
      .map((label) => [
        label.label,
        String(label.held),
        String(label.candidateHeld),
        String(label.flippedFrom),
        String(label.flippedTo),
        label.meanShift.toFixed(4),
        label.largestShift.toFixed(4),
      ]),
  ];
}

function flipRows({ candidateVersion, version, flippedLabels }: VersionComparison): string[][] {
  return [
    [`FROM (${version})`, `TO (${candidateVersion})`, 'INPUTS'],
    ...flippedLabels.slice(0, MOST_ROWS).map(({ from, to, count }) => [from, to, String(count)]),
  ];
}

function share(flips: number, compared: number): string {
  return compared === 0 ? '0' : `${flips} (${((100 * flips) / compared).toFixed(1)}%)`;
}
