import { UsageError } from '../usage-error.js';

const UNIT_MS: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000 };

/**
 * When a key expires, as the key file spells it.
 * @param given a date, a time in UTC, or how long from now: `2027-01-31`, `2027-01-31T12:00:00Z`, `90d`, `12h`
 * @param now milliseconds since 1970
 * @throws UsageError if it is none of these, or not in the future
 */
export function expiryOf(given: string, now: number): string {
  const [, count = '', unit = ''] = /^(\d{1,5})([dh])$/.exec(given) ?? [];
  const at = unit === '' ? timeOf(given) : now + Number(count) * (UNIT_MS[unit] ?? 0);
  if (Number.isNaN(at)) {
    throw new UsageError('--expires must be like 2027-01-31, 2027-01-31T12:00:00Z, 90d or 12h');
  }
  if (at <= now) throw new UsageError('--expires must be in the future');
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}

function timeOf(given: string): number {
  if (!/^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?$/.test(given)) return Number.NaN;
  const at = Date.parse(given);
  // 30 February would be 2 March.
  return new Date(at).toJSON()?.startsWith(given.slice(0, 10)) === true ? at : Number.NaN;
}
