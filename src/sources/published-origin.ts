import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isJsonObject } from '../models/json-file.js';
import type { Origin } from './types.js';

/** What `models add` writes has a line for each file. */
const MOST_BYTES = 2 ** 20;

/** Where a version in the models folder is from. */
export interface PublishedOrigin {
  readonly version: string;
  readonly revision: string;
  /** The digest of each file, by its path in the version's folder. */
  readonly sha256: Readonly<Record<string, unknown>>;
}

/** What tells the content of a source from what it held before; undefined: nothing does. */
export function revisionOf(origin: Origin | undefined): string | undefined {
  return origin?.revision ?? origin?.commit;
}

/** The highest version of the model that is from this source; undefined: there is none. */
export async function latestFrom(
  modelsDir: string,
  model: string,
  source: string,
): Promise<PublishedOrigin | undefined> {
  const home = join(modelsDir, model);
  const names = await readdir(home).catch((): string[] => []);
  const versions = names.filter((name) => /^[1-9][0-9]{0,8}$/.test(name));
  for (const version of versions.sort((a, b) => Number(b) - Number(a))) {
    const origin = await read(join(home, version, 'origin.json'));
    if (origin?.source !== source) continue;
    const { revision = origin.commit, sha256 } = origin;
    if (typeof revision !== 'string') continue;
    return { version, revision, sha256: isJsonObject(sha256) ? sha256 : {} };
  }
  return undefined;
}

/** Undefined for a file that is missing, or that something else has written. */
async function read(path: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(MOST_BYTES) });
    const value: unknown = JSON.parse(buffer.toString('utf8', 0, bytesRead));
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  } finally {
    await file.close();
  }
}
