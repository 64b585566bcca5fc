import { findFields } from './columns.js';
import { memberSources } from './json-members.js';
import { keptMembers, outputNames } from './keep.js';
import type { Line } from './read-lines.js';
import type { InputRow, KeptValue } from './row.js';
import type { RowReading } from './row-reading.js';

/** One JSON value per line: an object with its text under a known or chosen name, or a string. */
export async function* readJsonLines(
  lines: AsyncIterable<Line>,
  reading: RowReading,
): AsyncGenerator<InputRow> {
  for await (const line of lines) {
    if (line.problem !== undefined || line.text.trim() !== '') yield toRow(line, reading);
  }
}

function toRow({ number, text: json, endOffset, problem }: Line, reading: RowReading): InputRow {
  const place = { line: number, endOffset, kept: [] };
  if (problem !== undefined) return { ...place, problem };
  const parsed = parse(json);
  if (parsed === undefined) return { ...place, problem: 'is not valid JSON' };
  const { value } = parsed;
  if (typeof value === 'string') return { ...place, text: value };
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { ...place, problem: 'is neither a JSON object nor a string' };
  }
  return fromObject({ ...place, json }, new Map<string, unknown>(Object.entries(value)), reading);
}

function fromObject(
  { json, ...found }: { line: number; endOffset: number; json: string },
  fields: ReadonlyMap<string, unknown>,
  { columns, keep }: RowReading,
): InputRow {
  const keys = [...fields.keys()];
  const names = findFields(keys, columns);
  const used = new Set([names.text, names.pair, names.label].filter((name) => name !== undefined));
  const kept = keptValues(keptMembers(keep, keys, used), fields, json);
  const place = { ...found, kept };
  const text = names.text === undefined ? undefined : fields.get(names.text);
  if (names.text === undefined || text === undefined) {
    const known = keys.length === 0 ? 'no field' : `the fields ${keys.join(', ')}`;
    const wanted = names.text === undefined ? 'no text' : `no field "${names.text}"`;
    return { ...place, problem: `has ${wanted} (--text-column names the field); it has ${known}` };
  }
  if (typeof text !== 'string')
    return { ...place, problem: `has ${kindOf(text)} in "${names.text}" instead of a text` };
  const pair = names.pair === undefined ? undefined : (fields.get(names.pair) ?? undefined);
  if (pair !== undefined && typeof pair !== 'string') {
    return { ...place, problem: `has ${kindOf(pair)} in "${names.pair}" instead of a text` };
  }
  return { ...place, text, textPair: pair, expected: asLabel(fields, names.label) };
}

function keptValues(
  kept: readonly string[],
  fields: ReadonlyMap<string, unknown>,
  json: string,
): readonly KeptValue[] {
  if (kept.length === 0) return [];
  const isText = (key: string) => typeof fields.get(key) === 'string';
  const sources = kept.every(isText) ? undefined : memberSources(json);
  const names = outputNames(kept);
  return kept.map((key, n) => [names[n] ?? key, sources?.get(key) ?? JSON.stringify(fields.get(key))]);
}

function asLabel(fields: ReadonlyMap<string, unknown>, name: string | undefined): string | undefined {
  const value = name === undefined ? undefined : fields.get(name);
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return { number: 'a number', boolean: 'a boolean' }[String(typeof value)] ?? 'an object';
}

function parse(json: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(json) };
  } catch {
    return undefined;
  }
}
