import { isCorrect } from '../accuracy.js';
import type { RowResult } from '../classify-rows.js';

/** A result as one line of JSON. The keys are documented in docs/cli.md. */
export function jsonLine(result: RowResult): string {
  const { index, row } = result;
  const input = { index, text: row.text, textPair: row.textPair, expected: row.expected };
  if (!result.ok) {
    const { code, message, reason, retryAfterMs } = result.error;
    return JSON.stringify({ ...input, error: { code, message, reason, retryAfterMs } });
  }
  const correct =
    row.expected === undefined ? undefined : isCorrect(row.expected, result.classification.predictions[0]);
  return JSON.stringify({ ...input, correct, ...result.classification });
}
