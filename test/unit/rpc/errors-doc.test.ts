import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { codeNames } from '../../../src/rpc/status.js';

const doc = readFileSync('docs/errors.md', 'utf8');
const written = new Set([...doc.matchAll(/`([A-Z][A-Z_]+)`/g)].map(([, word]) => word));

/** Reasons in the sources: as the property of an error, or as the last argument of a function that makes one. */
const patterns = [/\breason: '([A-Z][A-Z_]+)'/g, /\bnotFound\([^)]*'([A-Z][A-Z_]+)'\)/g];

/** Of the server and of the client, which has reasons of its own. */
const sources = ['src', 'clients/typescript/src']
  .flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  )
  .filter((path) => path.endsWith('.ts'))
  .map((path) => readFileSync(path, 'utf8'))
  .join('\n');

test('every reason in the sources is in docs/errors.md', () => {
  const used = new Set<string>();
  for (const pattern of patterns) {
    for (const [, reason] of sources.matchAll(pattern)) if (reason !== undefined) used.add(reason);
  }
  assert.ok(used.size > 10);
  assert.deepEqual(
    [...used].filter((reason) => !written.has(reason)),
    [],
  );
});

test('every reason in the tables of docs/errors.md is in the sources', () => {
  const reasons = [...doc.matchAll(/^\| ((?:`[A-Z_]+`(?:, )?)+) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([A-Z_]+)`/g)].map(([, word = '']) => word),
  );
  const codes = new Set(codeNames.values());
  const stale = reasons.filter((reason) => !codes.has(reason) && !sources.includes(`'${reason}'`));
  assert.ok(reasons.length > 20);
  assert.deepEqual(stale, []);
});
