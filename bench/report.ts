import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const resultsDirectory = fileURLToPath(new URL('../../bench/results', import.meta.url));

/** One thing measured, beside what it was measured against. */
export interface Comparison {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What the value is held against, in words and as a number. */
  readonly bar: string;
  readonly reached: boolean;
}

export interface Report {
  readonly scenario: string;
  readonly command: string;
  readonly comparisons: readonly Comparison[];
  /** Every round, so that the medians can be checked. */
  readonly rounds: readonly Readonly<Record<string, number>>[];
}

/** Writes `bench/results/<scenario>.json` and returns the Markdown table for a person. */
export function writeReport(report: Report): string {
  mkdirSync(resultsDirectory, { recursive: true });
  const machine = {
    node: process.version,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
  };
  const path = join(resultsDirectory, `${report.scenario}.json`);
  writeFileSync(path, `${JSON.stringify({ ...report, machine, date: new Date().toISOString() }, null, 2)}\n`);
  return [
    '| measured | value | bar | reached |',
    '|---|---|---|---|',
    ...report.comparisons.map(
      ({ name, value, unit, bar, reached }) =>
        `| ${name} | ${value.toFixed(3)} ${unit} | ${bar} | ${reached ? 'yes' : 'no'} |`,
    ),
  ].join('\n');
}
