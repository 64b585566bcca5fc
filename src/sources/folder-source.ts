import { createHash } from 'node:crypto';
import { access, constants, copyFile, readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { systemTrouble } from '../errors/system-trouble.js';
import { SourceError } from './source-error.js';
import type { CopyOptions, ModelSource, Origin, SourceFile } from './types.js';

/** A model lies in its folder or one below; more means that somebody named the wrong folder. */
const DEPTH = 2;
const MOST_FILES = 10_000;

/** A model in a folder of this machine. Symbolic links are followed: so the cache of the Hub keeps its files. */
export class FolderSource implements ModelSource {
  readonly name: string;
  readonly shortName: string;
  readonly origin: Origin | undefined;
  readonly files: readonly SourceFile[];
  readonly #directory: string;

  private constructor(directory: string, files: readonly SourceFile[], names: SourceNames) {
    this.#directory = directory;
    this.files = files;
    this.name = names.name;
    this.shortName = names.shortName;
    this.origin = names.origin;
  }

  /** What a folder is called: one that is a version of a model, such as `sentiment/1`, after the model. */
  static shortNameOf(directory: string): string {
    const path = resolve(directory);
    const last = basename(path);
    return /^[0-9]+$/.test(last) ? basename(resolve(path, '..')) : last;
  }

  /** @throws SourceError when the folder cannot be read */
  static async open(directory: string, names?: SourceNames): Promise<FolderSource> {
    const path = resolve(directory);
    const files: SourceFile[] = [];
    await list(path, '', DEPTH, files);
    return new FolderSource(
      path,
      files,
      names ?? { name: directory, shortName: FolderSource.shortNameOf(path) },
    );
  }

  /** The same for a folder whose content is noted, so that a change of it can be told. @throws SourceError when it cannot be read */
  static async openNoted(directory: string, name: string): Promise<FolderSource> {
    const { files, shortName } = await FolderSource.open(directory);
    return new FolderSource(resolve(directory), files, {
      name,
      shortName,
      origin: { revision: await revisionOf(directory, files) },
    });
  }

  async copy(file: SourceFile, target: string, { signal, onProgress }: CopyOptions): Promise<void> {
    signal.throwIfAborted();
    const path = join(this.#directory, file.path);
    try {
      await copyFile(path, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    } catch (error) {
      // The error names both files, and does not say which of them is to blame.
      await access(path, constants.R_OK).catch((cause: unknown) => {
        throw new SourceError(`${this.name}: ${file.path} cannot be read`, { cause });
      });
      throw error;
    }
    onProgress(file.bytes);
  }
}

export interface SourceNames {
  readonly name: string;
  readonly shortName: string;
  readonly origin?: Origin;
}

/** Changes with any file: by its size and its time of change, since reading gigabytes at each look would cost too much. */
async function revisionOf(directory: string, files: readonly SourceFile[]): Promise<string> {
  const hash = createHash('sha256');
  for (const { path, bytes } of files) {
    const { mtimeMs = 0 } = (await stat(join(directory, path)).catch(() => undefined)) ?? {};
    hash.update(JSON.stringify([path, bytes, mtimeMs]));
  }
  return hash.digest('hex');
}

async function list(root: string, below: string, depth: number, files: SourceFile[]): Promise<void> {
  for (const name of await namesIn(join(root, below))) {
    if (name.startsWith('.')) continue;
    const path = below === '' ? name : `${below}/${name}`;
    // A link that leads nowhere is no file.
    const found = await stat(join(root, path)).catch(() => undefined);
    if (found?.isDirectory() && depth > 1) await list(root, path, depth - 1, files);
    else if (found?.isFile()) files.push({ path, bytes: found.size });
    if (files.length > MOST_FILES) throw new SourceError(`${root} holds more than ${MOST_FILES} files`);
  }
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).sort();
  } catch (error) {
    throw new SourceError(`cannot read ${directory}: ${systemTrouble(error)}`, { cause: error });
  }
}
