import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Chart } from './chart.js';
import { publishedFolder, publishedPage, publishedPageFile } from './published-page.js';
import type { RanResult } from './result.js';
import { writeResult } from './write-result.js';

/**
 * Writes a result into `<docs>/benchmarks/`, and the results of all scenarios published so far into
 * `<docs>/benchmarks.md`.
 *
 * @param docs the folder `docs/`
 * @param order names of the scenarios, as the page shows them
 */
export function publish(
  docs: string,
  result: RanResult,
  charts: readonly Chart[],
  order: readonly string[],
): void {
  writeResult(join(docs, publishedFolder), result, charts);
  writeFileSync(join(docs, publishedPageFile), publishedPage(docs, order));
}
