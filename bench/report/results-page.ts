import { type BarId, barIds, bars } from '../bars.js';
import { formatLimit, formatNumber, formatValue, formatVerdict } from './format-value.js';
import type { Judged } from './judge.js';
import { markdownTable } from './markdown.js';
import type { RanResult } from './result.js';

const BEGIN = '<!-- Written by npm run bench -- ... --publish: begin -->';
const END = '<!-- Written by npm run bench -- ... --publish: end -->';

/**
 * Puts every bar, with all that was measured for it, between the page's markers.
 *
 * @param results in the order in which the page shows them
 * @throws Error where the page has no markers
 */
export function withBars(page: string, results: readonly RanResult[]): string {
  const columns = ['what', 'bar', 'measured', 'reached', 'quartiles', 'command'];
  return between(
    page,
    markdownTable(
      columns,
      barIds.flatMap((id) => rowsOf(id, results)),
    ),
  );
}

/**
 * Puts each scenario, with its charts, its other numbers and its machine, between the page's markers.
 *
 * @param results in the order in which the page shows them
 * @throws Error where the page has no markers
 */
export function withScenarios(page: string, results: readonly RanResult[]): string {
  return between(page, results.map(renderScenario).join('\n\n'));
}

function between(page: string, text: string): string {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error('the page has no markers for the results');
  return `${page.slice(0, begin + BEGIN.length)}\n\n${text}\n\n${page.slice(end)}`;
}

/** A row for each measurement that is held against the bar: two mixes, say, or three numbers of calls in flight. */
function rowsOf(id: BarId, results: readonly RanResult[]): string[][] {
  const { title } = bars[id];
  const rows = results.flatMap((result) => {
    const judged = result.measurements.filter(({ verdict }) => verdict?.bar === id);
    return judged.map((one) => [
      judged.length === 1 ? title : `${title} (${one.name})`,
      formatLimit(id),
      formatValue(one.median, one.unit),
      `${one.verdict === undefined ? '' : formatVerdict(one.verdict)}${result.warnings.length === 0 ? '' : ' (noisy machine)'}`,
      describeQuartiles(one),
      `\`${result.command}\``,
    ]);
  });
  if (rows.length > 0) return rows;
  const elsewhere = results.some((result) => result.bars.includes(id));
  const absent = elsewhere ? 'does not hold on this machine' : 'not measured yet';
  return [[title, formatLimit(id), absent, '-', '-', '-']];
}

function renderScenario(result: RanResult): string {
  const { machine, settings, disturbance } = result;
  const others = result.measurements.filter(({ verdict }) => verdict === undefined);
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const before =
    'loadBefore' in disturbance
      ? `load before the start ${disturbance.loadBefore.toFixed(2)} per core`
      : `just before the start others took ${percent(disturbance.takenBefore)} of the CPU`;
  return [
    `### ${result.scenario}`,
    `${result.summary} Texts: ${result.inputs}.`,
    ...result.charts.map((file) => `![${result.scenario}](${file})`),
    ...(others.length === 0
      ? []
      : [
          markdownTable(
            ['also measured', 'median', 'quartiles'],
            others.map((judged) => [
              judged.name,
              formatValue(judged.median, judged.unit),
              describeQuartiles(judged),
            ]),
          ),
        ]),
    [
      `- \`${result.command}\`, ${result.date.slice(0, 10)}, ${settings.threads} threads, ${settings.texts} texts a pass`,
      ...Object.entries(result.facts).map(([name, value]) => `- ${name}: ${value}`),
      `- ${machine.cores} cores of ${machine.cpu} (${machine.int8Instructions.join(', ')}), ${machine.memoryGiB} GiB, ${machine.os}, Node ${machine.node}, ${Object.entries(
        machine.packages,
      )
        .map(([name, version]) => `${name} ${version}`)
        .join(', ')}`,
      `- ${before}; of the CPU other processes took ${percent(disturbance.othersShare)}, other machines ${percent(disturbance.stealShare)}`,
      `- every round: [${result.scenario}.json](${result.scenario}.json)`,
    ].join('\n'),
    ...(result.warnings.length === 0
      ? []
      : [`**The machine was too noisy to trust this:** ${result.warnings.join('; ')}.`]),
  ].join('\n\n');
}

function describeQuartiles({ lowerQuartile, upperQuartile, values }: Judged): string {
  return `${formatNumber(lowerQuartile)} to ${formatNumber(upperQuartile)}, ${values.length} rounds`;
}
