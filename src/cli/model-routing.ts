import type { Model, RollbackRule } from '../../clients/typescript/src/index.js';
import type { CliContext } from './context.js';
import { LineWriter } from './output/line-writer.js';
import { table, widthOf } from './output/table.js';

/** Prints where the requests for a model go: a table on a terminal, else a JSON line. */
export async function printRouting({ stdout }: CliContext, model: Model, asJson: boolean): Promise<void> {
  const isTable = stdout.isTTY === true && !asJson;
  await LineWriter.print(stdout, isTable ? table(rows(model), widthOf(stdout)) : [JSON.stringify(model)]);
}

function rows({ name, servingVersion, versions, traffic, aliases, shadow, rollback }: Model): string[][] {
  const watched = [...(shadow === undefined ? [] : [shadow]), ...(rollback === undefined ? [] : [rollback])];
  const named = [...versions, ...traffic, ...aliases, ...watched].map(({ version }) => version);
  const numbers = [...new Set(named)].sort((a, b) => Number(b) - Number(a));
  const header = ['MODEL', 'VERSION', 'STATE', 'TRAFFIC', 'ALIASES', 'WATCHED'];
  const shareOf = (number: string) => {
    if (traffic.length === 0) return number === servingVersion ? 'all' : '';
    const percent = traffic.find(({ version }) => version === number)?.percent;
    return percent === undefined ? '' : `${percent}%`;
  };
  return [
    header,
    ...numbers.map((number) => [
      name,
      number,
      versions.find(({ version }) => version === number)?.state ?? 'not there',
      shareOf(number),
      aliases
        .filter(({ version }) => version === number)
        .map(({ alias }) => alias)
        .join(', '),
      [
        ...(shadow?.version === number ? [`${shadow.percent}% in the shadow`] : []),
        ...(rollback?.version === number ? [ruleWords(rollback)] : []),
      ].join(', '),
    ]),
  ];
}

function ruleWords({ stableVersion, maxErrorPercent, maxFlipPercent, rolledBack }: RollbackRule): string {
  if (rolledBack !== undefined) {
    const { cause, count, observations, at } = rolledBack;
    return `lost its traffic to ${stableVersion} at ${at.toISOString()}: ${count} ${cause} in ${observations} inputs`;
  }
  const limits = [
    ...(maxErrorPercent === undefined ? [] : [`${maxErrorPercent}% errors`]),
    ...(maxFlipPercent === undefined ? [] : [`${maxFlipPercent}% flips`]),
  ];
  return `back to ${stableVersion} above ${limits.join(' or ')}`;
}
