import { readFile } from 'node:fs/promises';

/** Resident memory of a process in bytes; undefined where there is no such process, or the system does not tell. */
export async function residentBytes(pid: number): Promise<number | undefined> {
  try {
    const line = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'latin1'));
    return line === null ? undefined : Number(line[1]) * 1024;
  } catch {
    return undefined;
  }
}
