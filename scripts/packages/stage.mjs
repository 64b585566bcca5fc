import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** The scope of everything that we publish on npm. */
export const SCOPE = '@verdict-grpc';

/** Reads a manifest of this clone. */
export const manifestOf = (folder) => JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));

/** What the manifests of all packages share. */
export function commonFields(directory) {
  const { version, license, engines, repository, homepage, bugs } = manifestOf('.');
  return {
    version,
    license,
    repository: { ...repository, ...(directory === undefined ? {} : { directory }) },
    homepage,
    bugs,
    engines,
    publishConfig: { access: 'public' },
  };
}

/**
 * Writes one package into an empty folder.
 *
 * @param {string} out the folder of all packages
 * @param {Record<string, unknown> & { name: string, version: string }} manifest
 * @param {Readonly<Record<string, string>>} copies from the path in the package to the path in this clone; of folders,
 *   declarations and the compiler's own files stay behind where `isRunOnly` says so
 * @param {{ isRunOnly?: boolean }} [options]
 * @returns {{ name: string, version: string, folder: string }}
 */
export function stage(out, manifest, copies, { isRunOnly = false } = {}) {
  const folder = join(out, manifest.name.slice(SCOPE.length + 1));
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [to, from] of Object.entries(copies)) {
    cpSync(join(root, from), join(folder, to), {
      recursive: true,
      filter: (path) =>
        !/\.(tsbuildinfo|map)$|\.state\.json$/.test(path) && !(isRunOnly && path.endsWith('.d.ts')),
    });
  }
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  return { name: manifest.name, version: manifest.version, folder };
}
