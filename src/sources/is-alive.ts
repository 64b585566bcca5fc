import { readFileSync } from 'node:fs';

/** Whether another process with this number runs on this machine. This one does not count: what bears its number is older. */
export function isAlive(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** It has ended, but nobody has asked how: in a container without an init that may last. Only Linux tells. */
function isZombie(pid: number): boolean {
  try {
    // The state stands behind the name, which may hold anything, in parentheses.
    return /\) Z [^)]*$/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}
