import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { childProcesses } from '../../../bench/child-processes.js';
import { residentBytes } from '../../../bench/resident-bytes.js';

const skip = process.platform === 'linux' ? false : 'only Linux has /proc';

describe('the children of a process', { skip }, () => {
  it('are known, and their memory', async () => {
    const child = spawn(process.execPath, ['-e', 'process.stdin.resume(); console.log()']);
    await once(child.stdout, 'data');
    assert.ok(childProcesses(process.pid).includes(child.pid ?? 0));
    assert.ok(residentBytes(child.pid ?? 0) > 1e6);
    child.stdin.end();
    await once(child, 'exit');
  });

  it('are none where there is no such process', () => {
    assert.deepEqual(childProcesses(2 ** 30), []);
    assert.equal(residentBytes(2 ** 30), Number.NaN);
  });
});
