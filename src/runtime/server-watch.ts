import { isMainThread, Worker, workerData } from 'node:worker_threads';

const POLL_INTERVAL_MS = 500;

/**
 * Ends this process, in the middle of a run too, once the server is gone and the process has another parent.
 * A thread of its own has to look, because a run blocks the thread that it is on.
 */
export function watchServer(): void {
  const worker = new Worker(new URL(import.meta.url), {
    workerData: process.ppid,
    resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1 },
  });
  worker.unref();
}

if (!isMainThread) {
  const serverPid: unknown = workerData;
  setInterval(() => {
    if (process.ppid !== serverPid) process.kill(process.pid, 'SIGKILL');
  }, POLL_INTERVAL_MS);
}
