import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { TokenizerSource } from './types.js';

/**
 * The files of a tokenizer, read once into memory that threads share: the digest, every thread and every successor of a
 * thread see the same bytes, even if the files change.
 */
export interface TokenizerFiles {
  /** Where `tokenizer.json` was read, for messages. */
  readonly path: string;
  readonly tokenizerJson: SharedBytes;
  /** undefined: there is no such file. */
  readonly tokenizerConfigJson: SharedBytes | undefined;
  /** The model's `config.json`, which may name the tokenizer's class. */
  readonly configJson: SharedBytes | undefined;
  readonly maxTokens: number;
}

export type SharedBytes = Uint8Array<SharedArrayBuffer>;

/** @throws Error that names the file if it cannot be read */
export async function readTokenizerFiles(source: TokenizerSource): Promise<TokenizerFiles> {
  const { tokenizerJsonPath, tokenizerConfigPath, maxTokens } = source;
  const [tokenizerJson, tokenizerConfigJson, configJson] = await Promise.all([
    readShared(tokenizerJsonPath),
    readIfThere(tokenizerConfigPath),
    readIfThere(join(dirname(tokenizerConfigPath), 'config.json')),
  ]);
  return { path: tokenizerJsonPath, tokenizerJson, tokenizerConfigJson, configJson, maxTokens };
}

/** 64 hexadecimal digits over the contents of the files; it also depends on which files exist. */
export function filesDigest({ tokenizerJson, tokenizerConfigJson, configJson }: TokenizerFiles): string {
  const contents = [tokenizerJson, tokenizerConfigJson, configJson].map((bytes) =>
    bytes === undefined ? null : createHash('sha256').update(bytes).digest('hex'),
  );
  return createHash('sha256').update(JSON.stringify(contents)).digest('hex');
}

async function readIfThere(path: string): Promise<SharedBytes | undefined> {
  return (await exists(path)) ? readShared(path) : undefined;
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw unreadable(path, error);
  }
}

/** Refuses a pipe or a device: reading it may never end. */
async function readShared(path: string): Promise<SharedBytes> {
  try {
    if (!(await stat(path)).isFile()) throw new Error('is not a regular file');
    const content = await readFile(path);
    const shared = new Uint8Array(new SharedArrayBuffer(content.length));
    shared.set(content);
    return shared;
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): Error {
  return new Error(`${path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
}
