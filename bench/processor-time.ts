import { readdirSync, readFileSync } from 'node:fs';
import { childProcesses } from './child-processes.js';

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
/** In `/proc/<pid>/stat` the kernel counts ticks of this length on every architecture (USER_HZ is 100). */
const TICK_MS = 10;

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

/**
 * What a process has used since it started, all threads together, in milliseconds: the scheduler's account where there is
 * one, else the one in steps of 10 ms. NaN where there is none (no such process, no Linux).
 */
export function processMs(pid: number): number {
  try {
    return sum(threadTimes(pid).values());
  } catch {
    return ticksMs(pid, [14, 15]);
  }
}

/** What the children of this process used that have ended, in milliseconds; NaN where the kernel does not tell. */
export function endedChildrenMs(): number {
  return ticksMs(process.pid, [16, 17]);
}

/** The sum of fields of `/proc/<pid>/stat`, counted from 1 as in proc_pid_stat(5). */
function ticksMs(pid: number, fields: readonly number[]): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, field 2, may hold spaces and brackets: count from the last bracket.
    const values = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return TICK_MS * sum(fields.map((field) => Number(values[field - 3] ?? Number.NaN)));
  } catch {
    return Number.NaN;
  }
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
