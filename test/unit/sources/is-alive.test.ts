import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { isAlive } from '../../../src/sources/is-alive.js';
import { until } from '../../support/until.js';

test('a process is alive until it has ended, not until somebody has asked how', async (t) => {
  // The shell becomes a process that never asks after its child.
  const parent = spawn('sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 60']);
  t.after(() => parent.kill('SIGKILL'));
  const [line] = await once(parent.stdout, 'data');
  const child = Number(String(line));
  assert.ok(isAlive(child));
  assert.ok(isAlive(parent.pid ?? 0));
  await until('the child has ended', () => !isAlive(child));
  process.kill(child, 0);
  assert.ok(!isAlive(process.pid));
});
