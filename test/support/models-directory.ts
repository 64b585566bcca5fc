import { existsSync } from 'node:fs';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repositoryRoot } from './repository.js';

const homes = ['test/fixtures/models', 'test/fixtures/odd-models', 'test/fixtures/families', 'models'];

/** A models folder with just these models: fixtures by name, sound, odd or of a family, else embedded ones. */
export async function modelsDirectory(
  names: readonly string[],
): Promise<{ readonly path: string; readonly remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'verdict-models-'));
  for (const name of names) {
    const places = homes.map((home) => join(repositoryRoot, home, name));
    const found = places.find((place) => existsSync(place));
    if (found === undefined) throw new Error(`there is no model ${name} to test with`);
    await symlink(found, join(path, name));
  }
  return { path, remove: () => rm(path, { recursive: true }) };
}
