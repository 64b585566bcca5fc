import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ModelLoadError } from './model-load-error.js';
import { modelNamePattern } from './model-name.js';
import { versionPattern } from './routing.js';

/** What a version may have been meant to be: `01`, `v2`, `1.0`. Other folders are somebody's notes. */
const LIKE_A_VERSION = /^v?[0-9][0-9.]*$/i;
/** Where `fsck` puts what it finds: on every volume with an ext file system. */
const NOT_MODELS = new Set(['lost+found']);

/** One model version found on disk. */
export interface ModelLocation {
  readonly name: string;
  readonly version: string;
  readonly directory: string;
}

/** What a models folder holds. */
export interface ModelRepository {
  /** The versions to load, by model and from the highest down. Of one that is wanted but not there, the folder is missing. */
  readonly locations: readonly ModelLocation[];
  /** Models without a version that could be loaded. */
  readonly broken: readonly { readonly name: string; readonly error: ModelLoadError }[];
  /** Folders that are not what somebody may take them for. */
  readonly ignored: readonly { readonly path: string; readonly reason: string }[];
}

/** Chooses the versions to load. @param found those in the folder, highest first; at least one */
export type ChooseVersions = (model: string, found: readonly string[]) => readonly string[];

/**
 * Finds `<directory>/<model>/<version>/`. Hidden folders and plain files are passed over.
 *
 * @param choose the highest version of each model if it is left out
 * @throws ModelLoadError when the folder cannot be read or holds no model
 */
export async function findModels(
  directory: string,
  choose: ChooseVersions = (_, found) => found.slice(0, 1),
): Promise<ModelRepository> {
  const locations: ModelLocation[] = [];
  const broken: { name: string; error: ModelLoadError }[] = [];
  const ignored: { path: string; reason: string }[] = [];
  for (const name of await folders(directory)) {
    const path = join(directory, name);
    if (!modelNamePattern.test(name)) {
      ignored.push({ path, reason: `a model's name must match ${modelNamePattern.source}` });
      continue;
    }
    try {
      const { versions, others } = await versionsOf(path);
      ignored.push(...others);
      for (const version of choose(name, versions))
        locations.push({ name, version, directory: join(path, version) });
    } catch (error) {
      if (!(error instanceof ModelLoadError)) throw error;
      broken.push({ name, error });
    }
  }
  if (locations.length === 0 && broken.length === 0) {
    throw new ModelLoadError(directory, 'holds no model: <name>/<version>/ folders');
  }
  return { locations: locations.sort(byName), broken: broken.sort(byName), ignored };
}

/** Leaves what has the same name in its order. */
function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  if (a.name === b.name) return 0;
  return a.name < b.name ? -1 : 1;
}

/** @throws ModelLoadError when the model is not among those found in the folder, or cannot be loaded */
export function requireModel({ locations, broken }: ModelRepository, name: string, directory: string): void {
  const found = broken.find((model) => model.name === name);
  if (found !== undefined) throw found.error;
  if (locations.some((location) => location.name === name)) return;
  const names = [...new Set(locations.map((location) => location.name))].join(', ');
  throw new ModelLoadError(directory, `holds no default model ${name}, only ${names}`);
}

async function versionsOf(
  path: string,
): Promise<{ versions: readonly string[]; others: { path: string; reason: string }[] }> {
  const found = await folders(path);
  const versions = found.filter((name) => versionPattern.test(name)).sort((a, b) => Number(b) - Number(a));
  const others = found
    .filter((name) => LIKE_A_VERSION.test(name) && !versionPattern.test(name))
    .map((name) => ({
      path: join(path, name),
      reason: 'a version is named 1, 2, ..., without a leading zero',
    }));
  if (versions.length === 0) {
    const [first] = others;
    const hint = first === undefined ? '' : `; ${first.path} is ignored`;
    throw new ModelLoadError(path, `holds no version: a folder named 1, 2, ...${hint}`);
  }
  return { versions, others };
}

async function folders(directory: string): Promise<string[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    return entries
      .filter((entry) => (entry.isDirectory() || entry.isSymbolicLink()) && !entry.name.startsWith('.'))
      .map((entry) => entry.name)
      .filter((name) => !NOT_MODELS.has(name));
  } catch (error) {
    throw new ModelLoadError(directory, 'cannot be read as a folder', error);
  }
}
