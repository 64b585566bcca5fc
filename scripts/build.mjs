// Compiles src, generated, test, bench and examples into dist/. `--clean` starts from an empty dist/, so that no output of a
// deleted source lingers. Leaves the time stamp that tells bin/verdict.js that there is nothing to build.
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
if (process.argv.includes('--clean')) rmSync(join(root, 'dist'), { recursive: true, force: true });
const startedAt = Date.now();
const { status } = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'], {
  cwd: root,
  stdio: 'inherit',
});
if (status === 0) writeFileSync(join(root, 'dist/.built'), `${startedAt}\n`);
process.exit(status ?? 1);
