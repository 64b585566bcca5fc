import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What Docker's build context would hold after a fresh clone: the files that git knows or would take, without those
 * that .dockerignore names. Only names of top-level files and folders are understood there, and nothing else is used.
 *
 * @param {string} repository
 * @returns {string[]} paths relative to the repository
 */
export function buildContext(repository) {
  const ignored = readFileSync(join(repository, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const odd = ignored.find((line) => !/^[\w.-]+$/.test(line));
  if (odd !== undefined)
    throw new Error(`.dockerignore: '${odd}' is not the name of a top-level file or folder`);
  return execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: repository,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
    .split('\0')
    .filter((path) => path !== '' && !ignored.includes(path.split('/')[0] ?? ''))
    .filter((path) => existsSync(join(repository, path)));
}
