import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RanResult, Result } from './result.js';
import { withResults } from './results-page.js';

/** Where results are published, within `docs/`. */
export const publishedFolder = 'benchmarks';

/** What shows them, within `docs/`. */
export const publishedPageFile = 'benchmarks.md';

/**
 * The page as it has to be for the results in the folder beside it.
 *
 * @param docs the folder `docs/`
 * @param order names of the scenarios, as the page shows them
 */
export function publishedPage(docs: string, order: readonly string[]): string {
  return withResults(
    readFileSync(join(docs, publishedPageFile), 'utf8'),
    readPublished(join(docs, publishedFolder), order),
  );
}

function readPublished(folder: string, order: readonly string[]): RanResult[] {
  if (!existsSync(folder)) return [];
  const results = readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file): Result => JSON.parse(readFileSync(join(folder, file), 'utf8')))
    .filter((result): result is RanResult => result.status === 'ran');
  return results.sort((a, b) => order.indexOf(a.scenario) - order.indexOf(b.scenario));
}
