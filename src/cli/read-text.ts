import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { readTrouble } from './file-trouble.js';
import { UsageError } from './usage-error.js';

/** The longest text that any server takes: a million UTF-16 units, in UTF-8. */
const maxBytes = 3_000_000;

/**
 * The one text that a file holds, in UTF-8, without the line break that editors leave at its end.
 * @param path `-`: standard input
 * @throws UsageError for a file that cannot be read, is too long, or is not UTF-8. It quotes nothing of it
 */
export async function readText(path: string, stdin: Readable): Promise<string> {
  const name = path === '-' ? 'standard input' : path;
  const bytes = await readBytes(path === '-' ? stdin : createReadStream(path), name);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).replace(/\r?\n$/, '');
  } catch (error) {
    throw new UsageError(`${name} is not UTF-8`, { cause: error });
  }
}

async function readBytes(source: Readable, name: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of source) {
      const bytes = Buffer.from(chunk);
      length += bytes.length;
      if (length > maxBytes) throw new UsageError(`${name} is longer than any text: ${maxBytes} bytes`);
      chunks.push(bytes);
    }
  } catch (error) {
    throw error instanceof UsageError ? error : readTrouble(name, error);
  }
  return Buffer.concat(chunks);
}
