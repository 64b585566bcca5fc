import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RanResult, Result } from './result.js';
import { withBars, withScenarios } from './results-page.js';

/** Where results are published, within `docs/`. */
export const publishedFolder = 'benchmarks';

/** What shows them, within `docs/`: the bars, and each scenario. */
export const publishedPageFiles = ['benchmarks.md', `${publishedFolder}/results.md`] as const;

/**
 * A page as it has to be for the results that are published.
 *
 * @param docs the folder `docs/`
 * @param order names of the scenarios, as the page shows them
 */
export function publishedPage(
  docs: string,
  file: (typeof publishedPageFiles)[number],
  order: readonly string[],
): string {
  const page = readFileSync(join(docs, file), 'utf8');
  const results = readPublished(join(docs, publishedFolder), order);
  return file === 'benchmarks.md' ? withBars(page, results) : withScenarios(page, results);
}

function readPublished(folder: string, order: readonly string[]): RanResult[] {
  if (!existsSync(folder)) return [];
  const results = readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file): Result => JSON.parse(readFileSync(join(folder, file), 'utf8')))
    .filter((result): result is RanResult => result.status === 'ran');
  return results.sort((a, b) => order.indexOf(a.scenario) - order.indexOf(b.scenario));
}
