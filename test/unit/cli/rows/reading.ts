import { type Keep, readKeep } from '../../../../src/cli/rows/keep.js';
import type { RowReading } from '../../../../src/cli/rows/row-reading.js';

/** What a test says about reading; the rest is as it is without flags. */
export type ReadingChoice = Partial<Omit<RowReading, 'keep'>> & { readonly keep?: Keep };

export function readingOf(choice: ReadingChoice = {}): RowReading {
  return {
    columns: {},
    keep: readKeep([]),
    delimiter: undefined,
    encoding: 'utf-8',
    note: () => undefined,
    ...choice,
  };
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}
