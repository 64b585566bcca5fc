import { readdirSync, readFileSync } from 'node:fs';
import { childProcesses } from './cpu-time.js';

/** Processor time that a server has used since it started, in milliseconds. */
export interface ProcessorTime {
  /** The thread that serves calls. */
  readonly mainThreadMs: number;
  /** All other threads of that process: tokenizer workers, garbage collection, compilation, libuv's pool. */
  readonly otherThreadsMs: number;
  /** Its child processes with all their threads: the sessions. */
  readonly childrenMs: number;
}

const NS_PER_MS = 1e6;

/**
 * Reads the scheduler's own account, thread by thread and in nanoseconds, where `/proc/<pid>/stat` counts all threads
 * in steps of 10 ms. Time that others have the processor is not in it. Linux only.
 *
 * @throws Error when the process is gone, or the kernel keeps no such account
 */
export function processorTime(pid: number): ProcessorTime {
  const threads = threadTimes(pid);
  const mainThreadMs = threads.get(pid) ?? 0;
  return {
    mainThreadMs,
    otherThreadsMs: sum(threads.values()) - mainThreadMs,
    childrenMs: sum(childProcesses(pid).map((child) => sum(threadTimes(child).values()))),
  };
}

/** What was used between two readings. */
export function timeBetween(before: ProcessorTime, after: ProcessorTime): ProcessorTime {
  return {
    mainThreadMs: after.mainThreadMs - before.mainThreadMs,
    otherThreadsMs: after.otherThreadsMs - before.otherThreadsMs,
    childrenMs: after.childrenMs - before.childrenMs,
  };
}

function threadTimes(pid: number): Map<number, number> {
  const times = new Map<number, number>();
  for (const name of readdirSync(`/proc/${pid}/task`)) {
    const onProcessor = readFileSync(`/proc/${pid}/task/${name}/schedstat`, 'utf8').split(' ')[0];
    times.set(Number(name), Number(onProcessor) / NS_PER_MS);
  }
  return times;
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
