import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Chart } from './chart.js';
import { publishedFolder, publishedPage, publishedPageFiles } from './published-page.js';
import type { RanResult } from './result.js';
import { writeResult } from './write-result.js';

/**
 * Writes a result into `<docs>/benchmarks/`, and what all scenarios published so far say into the pages that show them.
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
  for (const file of publishedPageFiles) writeFileSync(join(docs, file), publishedPage(docs, file, order));
}
