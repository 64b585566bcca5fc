import type { RowResult } from '../row-result.js';
import { table } from './table.js';

/** One text on a terminal: every prediction, then the facts of the answer. */
export function singleResult(result: RowResult, width: number): string[] {
  if (result.kind !== 'classified') return [`${result.error.code}: ${result.error.message}`];
  const { predictions, model, version, tokenCount, truncated, cache, timings } = result.classification;
  const rows = predictions.map(({ label, score }) => [label, score.toFixed(4)]);
  const facts = [
    `${model} v${version}`,
    `${tokenCount} tokens${truncated ? ' (truncated)' : ''}`,
    // Not told to a key without the scope, and then neither is the time.
    ...(cache === 'unknown' ? [] : [`cache ${cache}`, `${timings.totalMs.toFixed(1)} ms on the server`]),
  ];
  return [...(rows.length > 0 ? table(rows, width) : ['no label reaches --min-score']), facts.join(', ')];
}

/** Several texts on a terminal: a line each. */
export function resultLines(results: readonly RowResult[], width: number): string[] {
  return table(
    results.map((result) => {
      if (result.kind === 'malformed') return ['MALFORMED', '', result.error.message];
      const { text, textPair } = result.row;
      const shown = textPair === undefined ? text : `${text} | ${textPair}`;
      if (result.kind === 'failed') return [result.error.code, '', `${result.error.message}: ${shown}`];
      const { label, score } = result.classification;
      return [label ?? '-', score?.toFixed(4) ?? '', shown];
    }),
    width,
  );
}
