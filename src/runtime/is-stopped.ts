import { readFileSync } from 'node:fs';

/**
 * Whether a process is stopped: SIGSTOP, SIGTSTP, not a debugger. False where the system does not tell, and of one that has gone.
 * See `state` in proc_pid_stat(5).
 */
export function isStopped(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name of the program, in brackets, may hold anything.
    return stat.slice(stat.lastIndexOf(')') + 2).startsWith('T');
  } catch {
    return false;
  }
}
