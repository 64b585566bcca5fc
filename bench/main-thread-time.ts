import { readFileSync } from 'node:fs';
import { ScenarioSkipped } from './scenario.js';

const NS_PER_MS = 1e6;

/**
 * CPU time that the main thread of a process has had, in milliseconds, from the scheduler's own account, which counts
 * nanoseconds. Its worker threads, garbage collector and compiler threads are not in it.
 *
 * @throws ScenarioSkipped where the kernel keeps no such account
 */
export function mainThreadMs(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / NS_PER_MS;
  } catch {
    throw new ScenarioSkipped('the CPU time of a thread is read from /proc/<pid>/schedstat, which Linux has');
  }
}
