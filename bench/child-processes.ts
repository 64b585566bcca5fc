import { readdirSync, readFileSync } from 'node:fs';

/** The processes whose parent this is. Empty where there is none, or no `/proc`. */
export function childProcesses(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) => childrenOf(pid, thread));
  } catch {
    return [];
  }
}

/** A thread may have ended since it was listed. */
function childrenOf(pid: number, thread: string): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8')
      .split(' ')
      .filter(Boolean)
      .map(Number);
  } catch {
    return [];
  }
}
