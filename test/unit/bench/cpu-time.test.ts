import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { childProcesses, cpuTime, residentBytes } from '../../../bench/cpu-time.js';

const skip = process.platform === 'linux' ? false : 'only Linux has /proc';

describe('the CPU time of a process', { skip }, () => {
  it('grows with work', () => {
    const before = cpuTime('self').ownMs;
    const until = process.cpuUsage().user + 50_000;
    while (process.cpuUsage().user < until);
    assert.ok(cpuTime('self').ownMs - before >= 30);
  });

  it('holds that of the children that it saw the end of', async () => {
    const before = cpuTime('self').childrenMs;
    const work = 'const end = process.cpuUsage().user + 60_000; while (process.cpuUsage().user < end);';
    await once(spawn(process.execPath, ['-e', work]), 'exit');
    assert.ok(cpuTime('self').childrenMs - before >= 50);
  });

  it('knows the children and their memory', async () => {
    const child = spawn(process.execPath, ['-e', 'process.stdin.resume(); console.log()']);
    await once(child.stdout, 'data');
    assert.ok(childProcesses(process.pid).includes(child.pid ?? 0));
    assert.ok(residentBytes(child.pid ?? 0) > 1e6);
    child.stdin.end();
    await once(child, 'exit');
  });

  it('is not known of a process that there is not', () => {
    assert.deepEqual(cpuTime(0), { ownMs: Number.NaN, childrenMs: Number.NaN });
    assert.deepEqual(childProcesses(0), []);
    assert.equal(residentBytes(0), Number.NaN);
  });
});
