import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';

/** Where the sentences come from, before a mix chooses and joins them. */
export interface Sources {
  /** For the report: what the sentences are. */
  readonly description: string;
  readonly generated: boolean;
  /** Whole SST-2 sentences, in the file's order. */
  readonly sst2: readonly string[];
  /** banking77's questions, in the file's order. */
  readonly banking77: readonly string[];
}

/**
 * Reads SST-2 (`sst2/dev.tsv`: `sentence<TAB>label`) and banking77 (`banking77/train.csv`: `text,category`). SST-2's
 * files hold the phrases of the parse trees as well: only what ends as a sentence does is taken.
 *
 * @returns undefined where the folder lacks one of the files
 */
export function readSources(folder: string): Sources | undefined {
  const sst2Path = join(folder, 'sst2/dev.tsv');
  const banking77Path = join(folder, 'banking77/train.csv');
  if (!existsSync(sst2Path) || !existsSync(banking77Path)) return undefined;
  const sst2 = readFileSync(sst2Path, 'utf8')
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t')[0]?.trim() ?? '')
    .filter((text) => / [.!?]$/.test(text));
  const rows: { text: string }[] = parse(readFileSync(banking77Path), { columns: true });
  return {
    description: 'SST-2 (dev) and banking77 (train)',
    generated: false,
    sst2: [...new Set(sst2)],
    banking77: [...new Set(rows.map(({ text }) => text.trim()))].filter((text) => text !== ''),
  };
}
