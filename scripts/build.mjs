// Compiles src, clients/typescript, generated, test, bench and examples into dist/, and the client's package once more
// into its own dist/, with the generated code that it needs. `--clean` starts from empty folders, so that no output of
// a deleted source lingers. Leaves the time stamp that tells bin/verdict.js that there is nothing to build.
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const projects = ['.', 'clients/typescript'];

function compile(project) {
  const { status } = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', project], {
    cwd: root,
    stdio: 'inherit',
  });
  return status ?? 1;
}

if (process.argv.includes('--clean'))
  for (const project of projects) rmSync(join(root, project, 'dist'), { recursive: true, force: true });
const startedAt = Date.now();
const failed = projects.map(compile).find((status) => status !== 0);
if (failed === undefined) writeFileSync(join(root, 'dist/.built'), `${startedAt}\n`);
process.exit(failed ?? 0);
