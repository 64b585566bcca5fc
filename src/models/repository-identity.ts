import { folderIdentity } from './folder-identity.js';
import type { ModelRepository } from './repository.js';

/**
 * What a models folder looks like: the versions that would be loaded and their files, or what is wrong with it.
 * @param find as a reload would
 */
export async function repositoryIdentity(find: () => Promise<ModelRepository>): Promise<string> {
  const words = (error: unknown) => (error instanceof Error ? error.message : String(error));
  try {
    const { locations, broken } = await find();
    const looks = await Promise.all(
      locations.map(async ({ name, version, directory: path }) => [
        name,
        version,
        await folderIdentity(path).catch(words),
      ]),
    );
    return JSON.stringify([looks, broken.map(({ name, error }) => [name, words(error)])]);
  } catch (error) {
    return words(error);
  }
}
