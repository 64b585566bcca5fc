import { closeSync, openSync, readSync } from 'node:fs';
import { systemTrouble } from '../errors/system-trouble.js';

/** Settings take kilobytes; more means an endless device, or a log given by mistake. */
const MAX_BYTES = 1024 * 1024;

/**
 * A file's content, or why it cannot be read, as the end of a sentence. Accepts pipes, such as a shell's process
 * substitution.
 */
export function readSettingsFile(path: string): { readonly content: string } | { readonly trouble: string } {
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    const bytes = Buffer.alloc(MAX_BYTES + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read) {
      read = readSync(fd, bytes, length, bytes.length - length, null);
    }
    if (length > MAX_BYTES) return { trouble: `cannot be read: it is larger than ${MAX_BYTES} bytes` };
    return { content: bytes.toString('utf8', 0, length) };
  } catch (error) {
    return { trouble: `cannot be read: ${systemTrouble(error)}` };
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
