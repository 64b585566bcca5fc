import type { AppliedActivation, ProblemType } from './types.js';

/**
 * The labels that a row of a model's output holds, by position: the best one, or with several labels those above a probability of
 * one half. Two rows hold the same labels where this is the same text; rows of a regression hold none.
 */
export function heldLabels(
  row: ArrayLike<number>,
  problemType: ProblemType,
  appliedActivation: AppliedActivation | undefined,
): string {
  if (problemType === 'regression') return '';
  if (problemType === 'single_label_classification') return String(best(row));
  const threshold = appliedActivation === 'sigmoid' ? 0.5 : 0;
  return Array.from(row, (value, index) => (value > threshold ? index : '')).join();
}

function best(row: ArrayLike<number>): number {
  let index = 0;
  for (let i = 1; i < row.length; i++) if ((row[i] ?? 0) > (row[index] ?? 0)) index = i;
  return index;
}
