import { existsSync } from 'node:fs';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repositoryRoot } from './repository.js';

/** A models folder with just these models: fixtures by name, else embedded ones. */
export async function modelsDirectory(
  names: readonly string[],
): Promise<{ readonly path: string; readonly remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'verdict-models-'));
  for (const name of names) {
    const fixture = join(repositoryRoot, 'test/fixtures/models', name);
    await symlink(existsSync(fixture) ? fixture : join(repositoryRoot, 'models', name), join(path, name));
  }
  return { path, remove: () => rm(path, { recursive: true }) };
}
