import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { verifyModel } from '../../../src/app/verify-model.js';
import { childProcesses } from '../../support/child-processes.js';
import { repositoryRoot } from '../../support/repository.js';
import { until } from '../../support/until.js';

test('Checks that are given up end the session that is being tried, and try no other', async () => {
  const givingUp = new AbortController();
  const before = childProcesses(process.pid);
  const verified = verifyModel(join(repositoryRoot, 'test/fixtures/models/topics/1'), {
    signal: givingUp.signal,
  });
  await until('a session is opened', () => childProcesses(process.pid).length > before.length);
  givingUp.abort();
  const { ok, checks, weights } = await verified;
  assert.deepEqual([ok, weights], [false, []]);
  const tried = checks.filter(({ name }) => name.endsWith('weights'));
  assert.deepEqual(
    tried.map(({ name, ok: passed }) => [name, passed]),
    [
      ['fp32 weights', false],
      ['int8 weights', false],
    ],
  );
  assert.deepEqual(childProcesses(process.pid), before);
});
