import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Resident set sizes of a process and of its children, in MB: pages that they share count more than once. */
export interface ResidentMemory {
  readonly ownMb: number;
  readonly childrenMb: number;
}

/** @throws Error where there is no `ps` */
export async function residentMemory(pid: number): Promise<ResidentMemory> {
  const { stdout } = await run('ps', ['-e', '-o', 'pid=,ppid=,rss=']);
  return residentFrom(stdout, pid);
}

/** @param table lines of process, parent, resident KiB */
export function residentFrom(table: string, pid: number): ResidentMemory {
  let ownKb = 0;
  let childrenKb = 0;
  for (const line of table.trim().split('\n')) {
    const [own, parent, rss = 0] = line.trim().split(/\s+/).map(Number);
    if (own === pid) ownKb += rss;
    else if (parent === pid) childrenKb += rss;
  }
  return { ownMb: ownKb / 1024, childrenMb: childrenKb / 1024 };
}
