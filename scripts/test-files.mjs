import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The tests that need no tool and start no server, session process or tokeniser thread. */
export const UNIT = 'dist/test/unit/';

/** The tests against other systems' real servers, whose tools take too long to fetch for `npm test`. */
const INTEGRATIONS = 'dist/test/integrations/';

const GROUPS = 4;
const groupFolder = 'dist/test-groups';

/**
 * The compiled test files of some kinds, relative to the repository.
 *
 * @param {readonly ('unit' | 'e2e' | 'integrations')[]} kinds `e2e`: all that is neither of the others
 * @param {readonly string[]} [parts] only the files whose path below test/ contains one of them
 * @returns {string[]}
 */
export function testFiles(kinds, parts = []) {
  return (
    readdirSync(join(root, 'dist/test'), { recursive: true })
      .filter((name) => name.endsWith('.test.js'))
      // A test that was renamed or removed leaves its compiled file behind.
      .filter((name) => existsSync(join(root, 'test', name.replace(/\.js$/, '.ts'))))
      .filter(
        (name) => parts.length === 0 || parts.some((part) => name.includes(part.replace(/\.ts$/, '.js'))),
      )
      .map((name) => join('dist/test', name))
      .filter((path) => kinds.includes(kindOf(path)))
      .sort()
  );
}

function kindOf(path) {
  if (path.startsWith(UNIT)) return 'unit';
  return path.startsWith(INTEGRATIONS) ? 'integrations' : 'e2e';
}

/**
 * Files that import the given ones, a few each: a process for every unit test spends most of its time on starting.
 * (`--test-isolation=none` does the same, but Node.js 20 lacks it.)
 *
 * @param {readonly string[]} files
 * @returns {string[]} the files to run in place of those
 */
export function inGroups(files) {
  if (files.length <= GROUPS) return [...files];
  rmSync(join(root, groupFolder), { recursive: true, force: true });
  mkdirSync(join(root, groupFolder), { recursive: true });
  return Array.from({ length: GROUPS }, (_, group) => {
    const members = files.filter((_, index) => index % GROUPS === group);
    const path = join(groupFolder, `unit-${group + 1}.test.mjs`);
    writeFileSync(join(root, path), members.map((file) => `import '../../${file}';\n`).join(''));
    return path;
  });
}
