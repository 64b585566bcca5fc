import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ModelLoadError } from './model-load-error.js';

/** Folders within each other: `onnx/` is one. */
const MOST_DEEP = 4;
/** The largest export has a few dozen. */
const MOST_FILES = 1_000;

/**
 * What the file system says about the content of a version's folder without reading any of it: path, inode, size and time of
 * change of every file, links followed. Two looks that differ may have seen the same bytes, but two that agree saw the same
 * files. Hidden files do not count.
 *
 * @throws ModelLoadError if it cannot be read, or is too deep or too full for a version's folder
 */
export async function folderIdentity(directory: string): Promise<string> {
  const files: string[] = [];
  await collect(directory, '', 1, files);
  return files.join('\n');
}

async function collect(directory: string, under: string, depth: number, files: string[]): Promise<void> {
  if (depth > MOST_DEEP) throw new ModelLoadError(directory, `holds folders more than ${MOST_DEEP} deep`);
  const names = await inFolder(directory, () => readdir(directory));
  for (const name of names.filter((one) => !one.startsWith('.')).sort()) {
    const path = join(directory, name);
    const found = await inFolder(path, () => stat(path, { bigint: true }));
    if (found.isDirectory()) {
      await collect(path, `${under}${name}/`, depth + 1, files);
      continue;
    }
    files.push(`${under}${name} ${found.dev}:${found.ino} ${found.size} ${found.mtimeNs}`);
    if (files.length > MOST_FILES) throw new ModelLoadError(path, `is one of more than ${MOST_FILES} files`);
  }
}

async function inFolder<T>(path: string, look: () => Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (error) {
    throw new ModelLoadError(path, 'cannot be read', error);
  }
}
