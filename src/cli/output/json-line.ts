import { isCorrect } from '../accuracy.js';
import type { RowResult } from '../row-result.js';

/** A result as one line of JSON. The keys are documented in docs/cli.md. */
export function jsonLine(result: RowResult): string {
  const fields = JSON.stringify(resultFields(result));
  const { kept } = result.row;
  if (kept.length === 0) return fields;
  // The raw JSON of the input: a number would lose digits in JavaScript.
  return `{${kept.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(',')},${fields.slice(1)}`;
}

function resultFields(result: RowResult): object {
  const { index, row } = result;
  if (result.kind === 'malformed') return { index, line: row.line, error: errorFields(result.error) };
  const { text, textPair, expected, line } = result.row;
  const input = { index, line, text, textPair, expected };
  if (result.kind === 'failed') return { ...input, error: errorFields(result.error) };
  const { classification } = result;
  const correct = expected === undefined ? undefined : isCorrect(expected, classification.predictions[0]);
  return { ...input, correct, ...classification };
}

function errorFields({
  code,
  message,
  reason,
  retryAfterMs,
}: Exclude<RowResult, { kind: 'classified' }>['error']) {
  return { code, message, reason, retryAfterMs };
}
