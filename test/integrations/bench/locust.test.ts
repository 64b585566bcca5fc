import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { HttpService } from '../../support/http-service.js';
import { repositoryRoot } from '../../support/repository.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { requireTool } from '../../support/tool.js';

const run = promisify(execFile);

/** What Locust counted under one name. */
interface Counted {
  readonly name: string;
  readonly num_requests: number;
  readonly num_failures: number;
}

/** Runs the file of bench/locust for 80 requests. @returns what it counted, and its exit code */
async function load(
  t: TestContext,
  python: string,
  url: string,
  ...flags: string[]
): Promise<{ readonly counted: readonly Counted[]; readonly code: number }> {
  const folder = temporaryFolder(t);
  const args = [
    ...['-m', 'locust', '--locustfile', join(repositoryRoot, 'bench/locust/locustfile.py'), '--host', url],
    ...['--headless', '--users', '8', '--spawn-rate', '8', '--pause-seconds', '0.1', '--stop-after', '80'],
    ...['--json-file', join(folder, 'counted'), ...flags],
  ];
  const code = await run(python, args, { cwd: folder }).then(
    () => 0,
    ({ code }: { readonly code: number }) => code,
  );
  return { counted: JSON.parse(readFileSync(join(folder, 'counted.json'), 'utf8')), code };
}

const inShort = (counted: readonly Counted[]) =>
  Object.fromEntries(counted.map(({ name, num_failures: failures }) => [name, failures]));

describe('the load test with Locust', () => {
  it('puts load on a server without a failure', async (t) => {
    const python = await requireTool(t, 'python-locust-2.47.0');
    if (python === undefined) return;
    const http = await HttpService.start(['topics']);
    t.after(() => http.stop());
    const { counted, code } = await load(t, python, http.url, '--model', 'topics');
    assert.equal(inShort(counted).classify, 0);
    assert.deepEqual(
      counted.filter(({ name, num_failures: failures }) => failures > 0 || name.includes('refused')),
      [],
    );
    assert.equal(code, 0);
    const sent = counted.reduce((sum, { num_requests: requests }) => sum + requests, 0);
    assert.ok(sent >= 80, String(sent));
    assert.ok((await http.service.server.metric('inference_requests_total')) >= 80);
  });

  it('counts refusals under load apart from failures', async (t) => {
    const python = await requireTool(t, 'python-locust-2.47.0');
    if (python === undefined) return;
    const http = await HttpService.start(['topics'], {
      VERDICT_MAX_QUEUE_ITEMS: '1',
      // Of the two users that wait all the time, none is to fail.
      VERDICT_DEFAULT_DEADLINE_MS: '600000',
    });
    const release = http.service.holdSession('topics');
    t.after(() => {
      release();
      return http.stop();
    });
    const { counted, code } = await load(t, python, http.url, '--known-percent', '0');
    const refused = counted.filter(({ name }) => /^\w+, refused: QUEUE_FULL$/.test(name));
    assert.ok(refused.length > 0, JSON.stringify(inShort(counted)));
    assert.deepEqual([...new Set(Object.values(inShort(counted)))], [0]);
    assert.equal(code, 0);
  });

  it('counts what else goes wrong as failures', async (t) => {
    const python = await requireTool(t, 'python-locust-2.47.0');
    if (python === undefined) return;
    const http = await HttpService.start(['topics']);
    t.after(() => http.stop());
    const { counted, code } = await load(t, python, http.url, '--model', 'no-such-model');
    assert.ok((inShort(counted).classify ?? 0) > 0, JSON.stringify(inShort(counted)));
    assert.equal(code, 1);
  });
});
