import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { COMMANDS } from '../../../src/cli/commands.js';
import { CONNECTION_FLAGS } from '../../../src/cli/connection-flags.js';
import { EXIT } from '../../../src/cli/exit-codes.js';
import type { Flag, Flags } from '../../../src/cli/flags.js';
import { flagSyntax } from '../../../src/cli/help.js';

const doc = readFileSync(new URL('../../../../docs/cli.md', import.meta.url), 'utf8');

function section(title: string): string {
  const found = doc.split(/^## /m).find((part) => part.startsWith(`${title}\n`));
  assert.ok(found !== undefined, `docs/cli.md has no section "${title}"`);
  return found;
}

/** The flags that begin the rows of a section's tables, as they are typed. */
function documented(title: string): string[] {
  return [...section(title).matchAll(/^\| `(--[^`]+)`/gm)].map(([, flag = '']) =>
    flag.replaceAll('\\|', '|'),
  );
}

function defined(flags: Flags): string[] {
  return Object.entries(flags).map(([name, flag]: [string, Flag]) => flagSyntax(name, flag));
}

test('The flags of a connection are documented as they are defined', () => {
  assert.deepEqual(documented('Where the server is'), defined(CONNECTION_FLAGS));
});

for (const entry of COMMANDS) {
  test(`The flags of verdict ${entry.name} are documented as they are defined`, async () => {
    const { flags } = await entry.load();
    const own = Object.fromEntries(Object.entries(flags).filter(([flag]) => !(flag in CONNECTION_FLAGS)));
    assert.deepEqual(documented(`verdict ${entry.name}`), defined(own));
  });
}

test('Every exit code is documented, and no other', () => {
  const codes = [...section('Exit codes').matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
  assert.deepEqual(codes, Object.values(EXIT));
});
