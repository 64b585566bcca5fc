import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { JsonValue } from './json-value.js';
import { repositoryRoot } from './repository.js';

/** What a YAML or JSON file of the repository says, anchors and merge keys resolved. */
export function yamlFile(path: string): JsonValue {
  return parse(readFileSync(join(repositoryRoot, path), 'utf8'), { merge: true });
}

/** The entries of a mapping; none where the value is no mapping. */
export function entriesOf(value: JsonValue): [string, JsonValue][] {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? Object.entries(value) : [];
}

/** The items of a list; none where the value is no list. */
export function itemsOf(value: JsonValue): JsonValue[] {
  return Array.isArray(value) ? value : [];
}

/**
 * A scalar as text.
 * @throws Error where the value is a mapping, a list or nothing
 */
export function textOf(value: JsonValue): string {
  if (value === null || typeof value === 'object') throw new Error(`no text: ${JSON.stringify(value)}`);
  return String(value);
}
