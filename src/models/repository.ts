import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ModelLoadError } from './model-load-error.js';
import { modelNamePattern } from './model-name.js';

const VERSION = /^[1-9][0-9]{0,8}$/;

/** One model version found on disk. */
export interface ModelLocation {
  readonly name: string;
  readonly version: string;
  readonly directory: string;
}

/**
 * Finds `<directory>/<model>/<version>/`. Of each model only the highest version is returned: it is the one to serve.
 * Hidden folders and plain files are passed over.
 *
 * @throws ModelLoadError when the folder cannot be read, holds no model, or holds a folder that is no valid name
 */
export async function findModels(directory: string): Promise<ModelLocation[]> {
  const locations: ModelLocation[] = [];
  for (const name of await folders(directory)) {
    if (!modelNamePattern.test(name)) {
      throw new ModelLoadError(join(directory, name), `a model's name must match ${modelNamePattern.source}`);
    }
    const versions = (await folders(join(directory, name))).filter((version) => VERSION.test(version));
    const highest = versions.sort((a, b) => Number(b) - Number(a))[0];
    if (highest === undefined) {
      throw new ModelLoadError(join(directory, name), 'holds no version: a folder named 1, 2, ...');
    }
    locations.push({ name, version: highest, directory: join(directory, name, highest) });
  }
  if (locations.length === 0)
    throw new ModelLoadError(directory, 'holds no model: <name>/<version>/ folders');
  return locations.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** @throws ModelLoadError when the model is not among those found in the folder */
export function requireModel(locations: readonly ModelLocation[], name: string, directory: string): void {
  if (locations.some((location) => location.name === name)) return;
  const names = locations.map((location) => location.name).join(', ');
  throw new ModelLoadError(directory, `holds no default model ${name}, only ${names}`);
}

async function folders(directory: string): Promise<string[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    return entries
      .filter((entry) => (entry.isDirectory() || entry.isSymbolicLink()) && !entry.name.startsWith('.'))
      .map((entry) => entry.name);
  } catch (error) {
    throw new ModelLoadError(directory, 'cannot be read as a folder', error);
  }
}
