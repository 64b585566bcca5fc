import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';
import { endedChildrenMs, processMs, processorTime, timeBetween } from '../../../bench/processor-time.js';

const skip = existsSync('/proc/self/schedstat') ? false : 'the kernel keeps no account of threads in /proc';

describe('processor time by thread', { skip }, () => {
  it("agrees with the process's own account", () => {
    const before = { account: processorTime(process.pid), own: process.cpuUsage() };
    let sum = 0;
    while (process.cpuUsage(before.own).user < 300_000) for (let i = 0; i < 1e5; i++) sum += Math.sqrt(i);
    const own = process.cpuUsage(before.own);
    const spent = timeBetween(before.account, processorTime(process.pid));
    assert.ok(sum > 0);
    const ownMs = (own.user + own.system) / 1000;
    const accountedMs = spent.mainThreadMs + spent.otherThreadsMs;
    // Not a matter of speed: both count the same time, one of them in ticks.
    assert.ok(Math.abs(accountedMs - ownMs) < 50, `${accountedMs} ms and ${ownMs} ms`);
    assert.ok(spent.mainThreadMs > spent.otherThreadsMs);
  });

  it('says so when there is no such process', () => {
    assert.throws(() => processorTime(2 ** 30), /ENOENT/);
  });
});

describe('the processor time of a whole process', { skip }, () => {
  it('is that of all its threads', () => {
    const { mainThreadMs, otherThreadsMs } = processorTime(process.pid);
    assert.ok(processMs(process.pid) >= mainThreadMs + otherThreadsMs);
  });

  it('is not known of a process that there is not', () => {
    assert.equal(processMs(2 ** 30), Number.NaN);
  });

  it('is kept of the children that have ended', async () => {
    const before = endedChildrenMs();
    const work = 'const end = process.cpuUsage().user + 60_000; while (process.cpuUsage().user < end);';
    await once(spawn(process.execPath, ['-e', work]), 'exit');
    assert.ok(endedChildrenMs() - before >= 50);
  });
});
