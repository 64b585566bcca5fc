import type { ChildProcess } from 'node:child_process';

const running = new Set<ChildProcess>();

/**
 * Has a child killed when this process ends without having stopped it: by an error that nobody caught, or `process.exit`.
 * At the very end only what is synchronous still happens, so the child is not asked: it gets SIGKILL.
 */
export function killAtExit(child: ChildProcess): void {
  if (running.size === 0) process.on('exit', killAll);
  running.add(child);
  child.once('exit', () => {
    running.delete(child);
    if (running.size === 0) process.off('exit', killAll);
  });
}

function killAll(): void {
  for (const child of running) child.kill('SIGKILL');
}
