import type { Prediction } from '../../clients/typescript/src/index.js';

/**
 * Whether the best prediction matches the expected label. A number is the label's position in the model's output,
 * unless the model's labels are numbers; anything else is the label's name, ignoring case.
 */
export function isCorrect(expected: string, best: Prediction | undefined): boolean {
  if (best === undefined) return false;
  const name = expected.trim();
  if (isNumber(name) && !isNumber(best.label)) return Number(name) === best.index;
  return name.toLowerCase() === best.label.trim().toLowerCase();
}

function isNumber(text: string): boolean {
  return /^\d+$/.test(text);
}
