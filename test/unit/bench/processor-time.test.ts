import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';
import { processorTime, timeBetween } from '../../../bench/processor-time.js';

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
