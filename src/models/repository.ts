import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ModelLoadError } from './model-load-error.js';
import { modelNamePattern } from './model-name.js';

const VERSION = /^[1-9][0-9]{0,8}$/;
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
  /** Of each model the highest version, by name. */
  readonly locations: readonly ModelLocation[];
  /** Models without a version that could be loaded. */
  readonly broken: readonly { readonly name: string; readonly error: ModelLoadError }[];
  /** Folders that are not what somebody may take them for. */
  readonly ignored: readonly { readonly path: string; readonly reason: string }[];
}

/**
 * Finds `<directory>/<model>/<version>/`. Hidden folders and plain files are passed over.
 *
 * @throws ModelLoadError when the folder cannot be read or holds no model
 */
export async function findModels(directory: string): Promise<ModelRepository> {
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
      const { highest, others } = await versionsOf(path);
      ignored.push(...others);
      locations.push({ name, version: highest, directory: join(path, highest) });
    } catch (error) {
      if (!(error instanceof ModelLoadError)) throw error;
      broken.push({ name, error });
    }
  }
  if (locations.length === 0 && broken.length === 0) {
    throw new ModelLoadError(directory, 'holds no model: <name>/<version>/ folders');
  }
  const byName = (a: { readonly name: string }, b: { readonly name: string }) => (a.name < b.name ? -1 : 1);
  return { locations: locations.sort(byName), broken: broken.sort(byName), ignored };
}

/** @throws ModelLoadError when the model is not among those found in the folder, or cannot be loaded */
export function requireModel({ locations, broken }: ModelRepository, name: string, directory: string): void {
  const found = broken.find((model) => model.name === name);
  if (found !== undefined) throw found.error;
  if (locations.some((location) => location.name === name)) return;
  const names = locations.map((location) => location.name).join(', ');
  throw new ModelLoadError(directory, `holds no default model ${name}, only ${names}`);
}

async function versionsOf(
  path: string,
): Promise<{ highest: string; others: { path: string; reason: string }[] }> {
  const found = await folders(path);
  const versions = found.filter((name) => VERSION.test(name));
  const highest = versions.sort((a, b) => Number(b) - Number(a))[0];
  const others = found
    .filter((name) => LIKE_A_VERSION.test(name) && !VERSION.test(name))
    .map((name) => ({
      path: join(path, name),
      reason: 'a version is named 1, 2, ..., without a leading zero',
    }));
  if (highest === undefined) {
    const [first] = others;
    const hint = first === undefined ? '' : `; ${first.path} is ignored`;
    throw new ModelLoadError(path, `holds no version: a folder named 1, 2, ...${hint}`);
  }
  return { highest, others };
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
