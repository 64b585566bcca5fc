import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Chart } from './chart.js';
import { renderChart } from './render-chart.js';
import type { Result } from './result.js';

/** `saturated-stream.svg`, or `memory-cache-off.svg` where a scenario has several charts. */
export function chartFile(scenario: string, chart: Chart): string {
  return `${chart.name === '' ? scenario : `${scenario}-${chart.name}`}.svg`;
}

/** Writes a scenario's JSON file and its charts into a folder, which is made. */
export function writeResult(folder: string, result: Result, charts: readonly Chart[]): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${result.scenario}.json`), `${JSON.stringify(result, null, 2)}\n`);
  for (const chart of charts) {
    writeFileSync(join(folder, chartFile(result.scenario, chart)), renderChart(chart));
  }
}
