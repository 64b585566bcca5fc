import { UsageError } from './usage-error.js';

const IN_WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'permission denied',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of the path is not a folder',
  ENOSPC: 'the disk is full',
};

/** An error of the file system in words. */
export function fileTrouble(action: 'read' | 'write', path: string, error: unknown): UsageError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return new UsageError(
    `cannot ${action} ${path}: ${IN_WORDS[code] ?? (error instanceof Error ? error.message : code)}`,
    {
      cause: error,
    },
  );
}
