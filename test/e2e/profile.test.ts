import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { profileLoads } from '../../bench/profile/profile-options.js';
import { runToEnd } from '../support/run-to-end.js';

function makeFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'verdict-profile-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

describe('npm run bench -- profile', () => {
  for (const load of profileLoads) {
    it(`profiles the main thread under ${load} and leaves a flame graph and both profiles`, async (t) => {
      const folder = makeFolder(t);
      const { code, stdout, stderr } = await runToEnd('dist/bench/main.js', [
        ...['profile', '--short', '--load', load, '--in-flight', '8'],
        ...['--out', folder, '--data', '/nowhere'],
      ]);
      assert.equal(code, 0, stderr);
      assert.match(stdout, /\| self time \| per text \| function \|/);
      assert.match(stdout, /\| allocated \| per text \| function \|/);
      const read = (ending: string) => readFileSync(join(folder, `profile-${load}.${ending}`), 'utf8');
      const cpu: { nodes: { callFrame: { url: string } }[]; samples: number[] } = JSON.parse(
        read('cpuprofile'),
      );
      assert.ok(cpu.samples.length > 0);
      // It is the server that was profiled, not the bench.
      assert.ok(cpu.nodes.some(({ callFrame }) => callFrame.url.endsWith('/dist/src/rpc/served-call.js')));
      assert.ok(!cpu.nodes.some(({ callFrame }) => callFrame.url.includes('/bench/load/')));
      assert.ok('head' in JSON.parse(read('heapprofile')));
      assert.match(read('html'), /^<!doctype html>/);
    });
  }

  it('refuses a load that there is not', async () => {
    const { code, stderr } = await runToEnd('dist/bench/main.js', ['profile', '--load', 'everything']);
    assert.equal(code, 2);
    assert.match(stderr, /--load is one of unary-hits, stream-hits, stream-misses/);
  });
});
