import type { Random } from '../../src/simulation/random.js';
import type { JsonValue } from '../support/json-value.js';

/** Values at which types and bounds change. */
const EDGES: readonly JsonValue[] = [
  ...[null, true, false, 0, -1, 1.5, 1e308, 2 ** 53, -(2 ** 63)],
  ...['', 'NaN', '1e9', '\u0000', '\u2028', '\ud83d\ude00'.repeat(1_000), '__proto__'],
  ...[[], {}, [[]], { constructor: null }, Array.from({ length: 300 }, () => 'x')],
];

/** Keys that mean something where nobody has thought of them. */
const KEYS = ['__proto__', 'constructor', 'toString', 'text', 'inputs', 'options', '', '\u0000'] as const;

/** A copy of the value in which one part, anywhere, is replaced, left out, repeated, renamed or taken from `other`. */
export function mutateJson(value: JsonValue, other: JsonValue, random: Random): JsonValue {
  const pick = <T>(of: readonly T[]): T => of[Math.min(of.length - 1, Math.floor(random() * of.length))] as T;
  const descends = typeof value === 'object' && value !== null && random() < 0.75;
  if (!descends) return random() < 0.3 ? partOf(other, random) : pick(EDGES);
  if (Array.isArray(value)) {
    const copy = [...value];
    const at = Math.floor(random() * value.length) % Math.max(1, value.length);
    const choice = random();
    if (choice < 0.15) copy.splice(at, 1);
    else if (choice < 0.3) copy.splice(at, 0, ...Array.from({ length: 20 }, () => copy[at] ?? null));
    else copy[at] = mutateJson(copy[at] ?? null, other, random);
    return copy;
  }
  const entries = Object.entries(value);
  const at = Math.floor(random() * entries.length) % Math.max(1, entries.length);
  const [key, found] = entries[at] ?? ['text', null];
  const choice = random();
  if (choice < 0.15) entries.splice(at, 1);
  else if (choice < 0.3) entries.push([pick(KEYS), found]);
  else entries[at] = [key, mutateJson(found, other, random)];
  return Object.fromEntries(entries);
}

/** Some part of a value, however deep. */
function partOf(value: JsonValue, random: Random): JsonValue {
  const parts = typeof value === 'object' && value !== null ? Object.values(value) : [];
  const part = parts[Math.floor(random() * parts.length)];
  return part === undefined || random() < 0.3 ? value : partOf(part, random);
}
