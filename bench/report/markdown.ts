import { formatLimit, formatNumber, formatValue, formatVerdict } from './format-value.js';
import type { RanResult } from './result.js';

/** A Markdown table; bars in cells are escaped. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** What the terminal shows of a scenario. */
export function resultMarkdown(result: RanResult): string {
  const rows = result.measurements.map(({ name, unit, median, lowerQuartile, upperQuartile, verdict }) => [
    name,
    formatValue(median, unit),
    `${formatNumber(lowerQuartile)} to ${formatNumber(upperQuartile)}`,
    verdict === undefined ? '-' : formatLimit(verdict.bar),
    verdict === undefined ? '-' : formatVerdict(verdict),
  ]);
  return [
    `## ${result.scenario}`,
    '',
    `${result.summary} Inputs: ${result.inputs}.`,
    '',
    markdownTable(['measured', 'median', 'quartiles', 'bar', 'reached'], rows),
    ...Object.entries(result.facts).map(([name, value]) => `\n- ${name}: ${value}`),
    ...result.warnings.map((warning) => `\n**Noisy machine:** ${warning}.`),
    '',
  ].join('\n');
}
