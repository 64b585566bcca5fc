import type { RowResult } from '../classify-rows.js';
import { table } from './table.js';

/** One text on a terminal: every prediction, then what is known of the answer. */
export function singleResult(result: RowResult, width: number): string[] {
  if (!result.ok) return [`${result.error.code}: ${result.error.message}`];
  const { predictions, model, version, tokenCount, truncated, cache, timings } = result.classification;
  const rows = predictions.map(({ label, score }) => [label, score.toFixed(4)]);
  const facts = [
    `${model} v${version}`,
    `${tokenCount} tokens${truncated ? ' (truncated)' : ''}`,
    `cache ${cache}`,
    `${timings.totalMs.toFixed(1)} ms on the server`,
  ];
  return [...(rows.length > 0 ? table(rows, width) : ['no label reaches --min-score']), facts.join(', ')];
}

/** Several texts on a terminal: a line each. */
export function resultLines(results: readonly RowResult[], width: number): string[] {
  return table(
    results.map((result) => {
      const text =
        result.row.textPair === undefined ? result.row.text : `${result.row.text} | ${result.row.textPair}`;
      if (!result.ok) return [result.error.code, '', `${result.error.message}: ${text}`];
      const { label, score } = result.classification;
      return [label ?? '-', score?.toFixed(4) ?? '', text];
    }),
    width,
  );
}
