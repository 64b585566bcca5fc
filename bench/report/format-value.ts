import { type Bar, type BarId, bars } from '../bars.js';
import type { Verdict } from './judge.js';

/** Three digits that count, thousands separated: `0.942`, `13.4`, `1,310`. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '-';
  if (value === 0) return '0';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 1 ? 2 : 3;
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export function formatValue(value: number, unit: string): string {
  return unit === '' ? formatNumber(value) : `${formatNumber(value)} ${unit}`;
}

/** `at least 0.95 x` */
export function formatLimit(id: BarId): string {
  const { limit, unit }: Bar = bars[id];
  const [word, value] = 'atLeast' in limit ? ['at least', limit.atLeast] : ['at most', limit.atMost];
  return `${word} ${value.toLocaleString('en-US')}${unit === '' ? '' : ` ${unit}`}`;
}

/** `yes`, `no, by 4.0 %`, and why the rounds cannot tell. */
export function formatVerdict({ bar, reached, missedBy, doubts }: Verdict): string {
  const { limit, unit }: Bar = bars[bar];
  const wanted = 'atLeast' in limit ? limit.atLeast : limit.atMost;
  const missed = wanted === 0 ? formatValue(missedBy, unit) : `${(100 * missedBy).toFixed(1)} %`;
  // JSON has no NaN: it becomes null.
  const known = Number.isFinite(missedBy);
  const answer = reached ? 'yes' : known ? `no, by ${missed}` : 'no';
  return doubts.length === 0 ? answer : `${answer} (too noisy to tell: ${doubts.join('; ')})`;
}
