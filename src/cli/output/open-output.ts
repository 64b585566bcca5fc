import { once } from 'node:events';
import { constants, createWriteStream, openSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { createTrouble } from '../file-trouble.js';

const { O_WRONLY, O_NONBLOCK } = constants;

/** How often to check whether a pipe has a reader. */
const READER_POLL_MS = 50;

/** A stream into a file or a pipe, and how many bytes were written. */
export type Output = Writable & { readonly bytesWritten: number };

/**
 * Creates the file, or empties it. Waits until a pipe has a reader, but not in `open`: only SIGKILL ends a thread that
 * waits there.
 * @throws UsageError for a path that cannot be written; the signal's reason
 */
export async function openOutput(path: string, signal: AbortSignal): Promise<Output> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFIFO() === true) return openPipe(path, signal);
  const file = createWriteStream(path);
  try {
    await once(file, 'open');
  } catch (error) {
    throw createTrouble(path, error);
  }
  return file;
}

async function openPipe(path: string, signal: AbortSignal): Promise<Output> {
  for (;;) {
    try {
      return new Socket({ fd: openSync(path, O_WRONLY | O_NONBLOCK), readable: false });
    } catch (error) {
      const hasNoReader = error instanceof Error && 'code' in error && error.code === 'ENXIO';
      if (!hasNoReader) throw createTrouble(path, error);
    }
    await delay(READER_POLL_MS, undefined, { signal });
  }
}
