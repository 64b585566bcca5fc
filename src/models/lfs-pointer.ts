import { open, stat } from 'node:fs/promises';
import { ModelLoadError } from './model-load-error.js';

/** How the file that Git LFS leaves in place of a large one begins: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md */
const START = Buffer.from('version https://git-lfs.github.com/spec/');

/**
 * @throws ModelLoadError for what is no file, since who reads from a pipe or a device may wait for ever; for a file that
 *   cannot be read, or only says where Git LFS keeps the real one
 */
export async function refuseLfsPointer(path: string): Promise<void> {
  const start = Buffer.alloc(START.length);
  let isFile: boolean;
  try {
    isFile = (await stat(path)).isFile();
  } catch (error) {
    throw unreadable(path, error);
  }
  if (!isFile) throw new ModelLoadError(path, 'is not a regular file');
  try {
    const file = await open(path);
    await file.read(start, 0, start.length, 0).finally(() => file.close());
  } catch (error) {
    throw unreadable(path, error);
  }
  if (start.equals(START)) {
    throw new ModelLoadError(
      path,
      'is a Git LFS pointer: fetch the real file, for instance with git lfs pull',
    );
  }
}

function unreadable(path: string, error: unknown): ModelLoadError {
  const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
  return new ModelLoadError(path, missing ? 'is missing' : 'cannot be read', error);
}
