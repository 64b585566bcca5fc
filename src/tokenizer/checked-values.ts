import { unsupported } from './tokenizer-json.js';

/** Ids travel as 32-bit integers with a sign. */
const MAX_ID = 2 ** 31 - 1;
/** Of a value that is not what it should be, a message holds this much. */
const MAX_SHOWN = 100;

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isId(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= MAX_ID;
}

/** A value as a message shows it. */
export function shown(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? 'missing');
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}...` : text;
}

/** @throws Error naming the part and the field */
export function idIn(value: unknown, part: string, field: string): number {
  if (isId(value)) return value;
  throw unsupported(part, `its ${field} is ${shown(value)}, which is no integer from 0 to ${MAX_ID}`);
}

/** @throws Error naming the part and the field */
export function stringIn(value: unknown, part: string, field: string): string {
  if (typeof value === 'string') return value;
  throw unsupported(part, `its ${field} is ${shown(value)}, which is no string`);
}

/** @throws Error naming the part and the field */
export function listIn(value: unknown, part: string, field: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw unsupported(part, `its ${field} is ${shown(value)}, which is no list`);
}

/** @throws Error naming the part and the field */
export function objectIn(value: unknown, part: string, field: string): Readonly<Record<string, unknown>> {
  if (isObject(value)) return value;
  throw unsupported(part, `its ${field} is ${shown(value)}, not an object`);
}

/** Of the fields, each is true, false, or not given. @throws Error naming the part and the field */
export function checkFlags(json: object, fields: readonly string[], part: string): void {
  for (const field of fields) {
    const value: unknown = (json as Readonly<Record<string, unknown>>)[field];
    if (value !== undefined && value !== null && typeof value !== 'boolean') {
      throw unsupported(part, `its ${field} is ${shown(value)}, which is neither true nor false`);
    }
  }
}

/** The text or the expression that a component looks for. @throws Error naming the component */
export function patternIn(value: unknown, part: string): { text?: string } | { expression: string } {
  const { String: text, Regex: expression } = objectIn(value ?? {}, part, 'pattern');
  if (text !== undefined) return { text: stringIn(text, part, 'pattern') };
  return expression === undefined ? {} : { expression: stringIn(expression, part, 'pattern') };
}
