import type { Terminal } from '../context.js';

/**
 * Lines with aligned columns, no wider than `width`: the last column is cut. Control characters, which could move the
 * cursor, are shown as spaces.
 */
export function table(rows: readonly (readonly string[])[], width: number): string[] {
  const clean = rows.map((row) => row.map((cell) => cell.replace(/\p{Cc}/gu, ' ')));
  const widths: number[] = [];
  for (const row of clean) {
    for (const [at, cell] of row.slice(0, -1).entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length);
  }
  return clean.map((row) =>
    cut(
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
      width,
    ),
  );
}

function cut(line: string, width: number): string {
  const characters = Array.from(line);
  return characters.length <= width ? line : `${characters.slice(0, Math.max(0, width - 1)).join('')}…`;
}

/** Columns of a terminal; some terminals, such as those of build servers, report none. */
export function widthOf({ columns }: Terminal): number {
  return columns || 80;
}
