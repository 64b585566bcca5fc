import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { repositoryRoot } from '../../support/repository.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const guard = pathToFileURL(join(repositoryRoot, 'scripts/end-after-tests.mjs')).href;

/** Runs a test file as `npm test` does. Killed after a minute. */
async function run(t: TestContext, body: string) {
  const file = join(temporaryFolder(t), 'a.test.mjs');
  writeFileSync(file, `import { test } from 'node:test';\n${body}\n`);
  const child = spawn(process.execPath, [`--import=${guard}`, '--test', file], {
    env: { PATH: process.env.PATH },
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 60_000,
  });
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  return { code, output };
}

describe('a test file', () => {
  it('fails when a test leaves a timer behind, and says so', async (t) => {
    const { code, output } = await run(t, "test('leaves', () => { setInterval(() => {}, 10); });");
    assert.equal(code, 1, output);
    assert.match(output, /its tests have ended, yet this holds it: .*Timeout/);
  });

  it('ends when a test fails that leaves a timer behind', async (t) => {
    const body =
      "test('hangs', { timeout: 100 }, () => { setInterval(() => {}, 10); return new Promise(() => {}); });";
    const { code, output } = await run(t, body);
    assert.equal(code, 1, output);
    assert.match(output, /test timed out after 100ms/);
  });

  it('passes when it leaves nothing', async (t) => {
    const { code, output } = await run(t, "test('leaves nothing', () => {});");
    assert.equal(code, 0, output);
  });
});
