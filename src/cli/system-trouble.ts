import { OutputClosedError, OutputFailedError, UsageError } from './usage-error.js';

const IN_WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or directory',
  EACCES: 'permission denied',
  EPERM: 'the operation is not permitted',
  EROFS: 'the file system is read-only',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of the path is not a directory',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file would become too large',
  EIO: 'the device reports an error',
  EBADF: 'it is closed, or not open for this',
  EMFILE: 'too many files are open',
};

/** A file that cannot be opened or read. */
export function readTrouble(path: string, error: unknown): UsageError {
  return new UsageError(`cannot read ${path}: ${inWords(error)}`, { cause: error });
}

/** A file that cannot be created, or emptied. Nothing has been written to it. */
export function createTrouble(path: string, error: unknown): UsageError {
  return new UsageError(`cannot write ${path}: ${inWords(error)}`, { cause: error });
}

/**
 * A write that failed. Only EPIPE means that the reader has left; everything else loses results that somebody wants.
 *
 * @param target a path, or `standard output`
 * @param bytes how much of a file was written
 */
export function writeTrouble(target: string, error: unknown, bytes?: number): Error {
  if (codeOf(error) === 'EPIPE')
    return new OutputClosedError(`the reader of ${target} has gone`, { cause: error });
  const kept = bytes === undefined ? '' : `; the file is incomplete, it ends after ${bytes} bytes`;
  return new OutputFailedError(`cannot write to ${target}: ${inWords(error)}${kept}`, { cause: error });
}

/** Whether the operating system refused something, as opposed to a defect. */
export function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && 'code' in error;
}

function inWords(error: unknown): string {
  const code = codeOf(error);
  const words = IN_WORDS[code];
  if (words !== undefined) return `${words} (${code})`;
  return error instanceof Error ? error.message : code;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
