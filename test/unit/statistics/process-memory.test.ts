import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { memoryOf } from '../../../src/statistics/process-memory.js';

describe('the memory of processes', { skip: process.platform !== 'linux' }, () => {
  it('is that of those that this process has started and that are there', async (t) => {
    const script = 'console.log("up"); setInterval(() => {}, 1000)';
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => child.kill('SIGKILL'));
    await once(child.stdout, 'data');
    const pid = child.pid ?? 0;
    const memory = await memoryOf([pid, process.ppid, 2 ** 22 + 1]);
    assert.equal(memory?.processes, 1);
    assert.ok(memory.residentBytes > 10e6 && memory.residentBytes < 10e9, `${memory.residentBytes}`);
    child.kill('SIGKILL');
    await once(child, 'exit');
    assert.deepEqual(await memoryOf([pid]), { processes: 0, residentBytes: 0 });
  });

  it('is not known where the operating system tells nothing', async () => {
    assert.equal(await memoryOf([1, 2], async () => undefined), undefined);
  });
});
