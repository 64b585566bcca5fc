import { readdirSync, readFileSync } from 'node:fs';

/** The kernel counts CPU time for user space in ticks of this length on every architecture (USER_HZ is 100). */
const TICK_MS = 10;

/** CPU time of a process and of the children that it has waited for, in milliseconds. */
export interface CpuTime {
  readonly ownMs: number;
  readonly childrenMs: number;
}

/** Reads `/proc/<pid>/stat`, all threads together; NaN where there is none (no Linux, no such process). */
export function cpuTime(pid: number | 'self'): CpuTime {
  const stat = readOrNothing(`/proc/${pid}/stat`);
  if (stat === undefined) return { ownMs: Number.NaN, childrenMs: Number.NaN };
  // The name, field 2, may hold spaces and brackets: count from the last bracket. utime is field 14.
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const at = (field: number) => (fields[field - 3] ?? Number.NaN) * TICK_MS;
  return { ownMs: at(14) + at(15), childrenMs: at(16) + at(17) };
}

/** The processes whose parent this is. Empty where `/proc` is missing. */
export function childProcesses(pid: number): number[] {
  let threads: string[];
  try {
    threads = readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
  return threads.flatMap((thread) =>
    (readOrNothing(`/proc/${pid}/task/${thread}/children`) ?? '').split(' ').filter(Boolean).map(Number),
  );
}

/** Resident memory of a process in bytes; NaN where `/proc` is missing. */
export function residentBytes(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readOrNothing(`/proc/${pid}/status`) ?? '');
  return Number(line?.[1] ?? Number.NaN) * 1024;
}

function readOrNothing(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
