import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { systemTrouble } from '../errors/system-trouble.js';

/** Certificates take kilobytes; a bundle of all public authorities is a quarter of this. */
export const MAX_BYTES = 1024 * 1024;
const CHUNK_BYTES = 16 * 1024;

/** To open a pipe would wait for somebody who writes to it, and the end of the process would wait for that. */
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;

/** A file's content, or why it cannot be read, as the end of a sentence that begins with "it". */
export async function fileContent(
  path: string,
): Promise<{ readonly content: string } | { readonly trouble: string }> {
  try {
    const file = await open(path, FLAGS);
    try {
      if ((await file.stat()).isFIFO()) return { trouble: 'is not a regular file' };
      const chunks: Buffer[] = [];
      for (let length = 0; length <= MAX_BYTES; ) {
        const { bytesRead, buffer } = await file.read(Buffer.alloc(CHUNK_BYTES), 0, CHUNK_BYTES, null);
        if (bytesRead === 0) return { content: Buffer.concat(chunks).toString('utf8') };
        chunks.push(buffer.subarray(0, bytesRead));
        length += bytesRead;
      }
      return { trouble: `cannot be read: it is larger than ${MAX_BYTES} bytes` };
    } finally {
      await file.close();
    }
  } catch (error) {
    return { trouble: `cannot be read: ${systemTrouble(error)}` };
  }
}
