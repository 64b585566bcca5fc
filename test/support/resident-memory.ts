import { readFileSync } from 'node:fs';

/** What the system says of a process's resident memory. */
export interface ResidentMemory {
  readonly nowBytes: number;
  /** The most that it has been since the process began. */
  readonly peakBytes: number;
}

export function residentMemory(pid: number): ResidentMemory {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const read = (field: string) =>
    1024 * Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]);
  return { nowBytes: read('VmRSS'), peakBytes: read('VmHWM') };
}
