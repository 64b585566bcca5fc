import { isMainThread, Worker, workerData } from 'node:worker_threads';

const POLL_INTERVAL_MS = 500;

/**
 * Ends this process, even in the middle of a run, once the server is gone and the process has another parent. It needs
 * a separate thread, because a run blocks its own.
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
