import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** Pids of the processes that this one started and that are still there. */
export function childProcesses(pid: number): number[] {
  return processTable()
    .filter(([, parent]) => parent === pid)
    .map(([child]) => child);
}

/** The command line of a process; empty: it has ended. Until a new process runs a program of its own, it is that of its parent. */
export function commandOf(pid: number): string {
  try {
    if (existsSync('/proc/self/stat')) return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  } catch {
    return '';
  }
}

/** Whether there is such a process. One that has ended and that nobody has waited for yet does not count. */
export function isAlive(pid: number): boolean {
  return processTable().some(([alive]) => alive === pid);
}

/** Pid and parent of every process; zombies left out. */
function processTable(): [pid: number, parent: number][] {
  return existsSync('/proc/self/stat') ? fromProc() : fromPs();
}

function fromProc(): [number, number][] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
        // The name of the program, in brackets, may hold anything.
        const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        return state === 'Z' ? [] : [[Number(name), Number(parent)] as [number, number]];
      } catch {
        return [];
      }
    });
}

function fromPs(): [number, number][] {
  return execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([pid, , state]) => pid !== '' && !state?.startsWith('Z'))
    .map(([pid, parent]) => [Number(pid), Number(parent)]);
}
