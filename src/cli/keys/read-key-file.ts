import { readFile } from 'node:fs/promises';
import type { KeyFile } from '../../auth/types.js';
import { parseKeyFile } from '../../config/key-file.js';
import { readTrouble } from '../file-trouble.js';
import { UsageError } from '../usage-error.js';

export interface KeyFileContent {
  readonly text: string;
  readonly file: KeyFile;
}

/** @throws UsageError if it cannot be read, or holds something else */
export async function readKeyFile(path: string): Promise<KeyFileContent> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw readTrouble(path, error);
  }
  return { text, file: await checked(text, path) };
}

/** @throws UsageError with a line for each problem */
export async function checked(text: string, path: string): Promise<KeyFile> {
  const reading = await parseKeyFile(text, path);
  if ('problems' in reading) throw new UsageError(reading.problems.join('\n'));
  return reading.file;
}
