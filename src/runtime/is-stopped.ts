import { readFileSync } from 'node:fs';

/**
 * Whether a process is stopped by SIGSTOP or SIGTSTP, not by a debugger. False if the system does not tell, or the
 * process has ended. See `state` in proc_pid_stat(5).
 */
export function isStopped(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name of the program, in brackets, may contain anything.
    return stat.slice(stat.lastIndexOf(')') + 2).startsWith('T');
  } catch {
    return false;
  }
}
