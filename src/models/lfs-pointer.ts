import { open } from 'node:fs/promises';
import { ModelLoadError } from './model-load-error.js';

/** How the file that Git LFS leaves in place of a large one begins: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md */
const START = Buffer.from('version https://git-lfs.github.com/spec/');

/** @throws ModelLoadError for a file that cannot be read, or only says where Git LFS keeps the real one */
export async function refuseLfsPointer(path: string): Promise<void> {
  const start = Buffer.alloc(START.length);
  try {
    const file = await open(path);
    await file.read(start, 0, start.length, 0).finally(() => file.close());
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new ModelLoadError(path, missing ? 'is missing' : 'cannot be read', error);
  }
  if (start.equals(START)) {
    throw new ModelLoadError(
      path,
      'is a Git LFS pointer: fetch the real file, for instance with git lfs pull',
    );
  }
}
