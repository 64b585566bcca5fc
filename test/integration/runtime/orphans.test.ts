import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isAlive } from '../../support/child-processes.js';
import { until } from '../../support/until.js';

const PARENT = fileURLToPath(new URL('./parent-process.js', import.meta.url));

/** Starts a server stand-in with one session; returns it and the pid of the session process. */
async function parentOf(t: TestContext, mode: string): Promise<{ parent: ChildProcess; sessionPid: number }> {
  const parent = spawn(process.execPath, [PARENT, mode], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => parent.kill('SIGKILL'));
  assert.ok(parent.stdout !== null);
  for await (const line of createInterface({ input: parent.stdout })) {
    return { parent, sessionPid: Number(line) };
  }
  throw new Error('the parent process said nothing');
}

describe('a session process without its server', () => {
  for (const mode of ['idle', 'running', 'running, watched']) {
    it(`ends while ${mode}`, async (t) => {
      const { parent, sessionPid } = await parentOf(t, mode);
      assert.ok(isAlive(sessionPid));
      parent.kill('SIGKILL');
      await until('the session has ended', () => !isAlive(sessionPid));
    });
  }
});
