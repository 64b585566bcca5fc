import { Worker } from 'node:worker_threads';
import type { KeyFileReading } from '../auth/key-watch.js';
import type { KeyFileText } from './key-file-thread.js';

/** More than the largest file takes that the server reads. */
const resourceLimits = { maxOldGenerationSizeMb: 1024 };

/**
 * What the text of a key file says, found out in a thread of its own: some thousand keys, or another file given by mistake, take
 * seconds, and the main thread has calls to answer.
 * @param limitMs a file that takes longer cannot be used
 */
export function readKeysApart(text: KeyFileText, limitMs = 30_000): Promise<KeyFileReading> {
  return new Promise((resolve) => {
    const thread = new Worker(new URL('./key-file-thread.js', import.meta.url), {
      workerData: text,
      resourceLimits,
    });
    const settle = (reading: KeyFileReading) => {
      clearTimeout(timer);
      resolve(reading);
      void thread.terminate();
    };
    const giveUp = () => settle({ problems: [`${text.name} takes too much time or memory to read.`] });
    const timer = setTimeout(giveUp, limitMs);
    thread.on('message', settle);
    thread.on('error', giveUp);
    thread.on('exit', giveUp);
  });
}
