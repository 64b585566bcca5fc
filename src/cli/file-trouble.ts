import { systemTrouble } from '../errors/system-trouble.js';
import { OutputClosedError, OutputFailedError, UsageError } from './usage-error.js';

/** A file that cannot be opened or read. */
export function readTrouble(path: string, error: unknown): UsageError {
  return new UsageError(`cannot read ${path}: ${systemTrouble(error)}`, { cause: error });
}

/** A file that cannot be created, or emptied. Nothing has been written to it. */
export function createTrouble(path: string, error: unknown): UsageError {
  return new UsageError(`cannot write ${path}: ${systemTrouble(error)}`, { cause: error });
}

/**
 * A write that failed. EPIPE means that the reader has left; any other error loses results.
 *
 * @param target a path, or `standard output`
 * @param bytes how much of a file was written
 */
export function writeTrouble(target: string, error: unknown, bytes?: number): Error {
  if (error instanceof Error && 'code' in error && error.code === 'EPIPE')
    return new OutputClosedError(`the reader of ${target} has gone`, { cause: error });
  const kept = bytes === undefined ? '' : `; the file is incomplete, it ends after ${bytes} bytes`;
  return new OutputFailedError(`cannot write to ${target}: ${systemTrouble(error)}${kept}`, { cause: error });
}
