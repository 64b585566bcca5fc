import { readFile } from 'node:fs/promises';
import { refuseLfsPointer } from './lfs-pointer.js';
import { ModelLoadError } from './model-load-error.js';

export type JsonObject = Readonly<Record<string, unknown>>;

/** @throws ModelLoadError naming the file when it is missing, a Git LFS pointer, not JSON, or not an object */
export async function readJsonObject(path: string): Promise<JsonObject> {
  const value = parse(path, await read(path));
  if (!isJsonObject(value)) throw new ModelLoadError(path, 'must hold a JSON object');
  return value;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

async function read(path: string): Promise<string> {
  await refuseLfsPointer(path);
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new ModelLoadError(path, 'cannot be read', error);
  }
}

function parse(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ModelLoadError(path, 'is not valid JSON', error);
  }
}
