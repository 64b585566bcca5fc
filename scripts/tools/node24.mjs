import { mkdir, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { toolsDir } from './paths.mjs';
import { runCommand } from './run-command.mjs';

// The Dockerfile's version. In the name of the tool too, so that no other one is taken for it.
const version = '24.21.0';

/** The Node.js that CI runs the tests with a second time, as it is called in `.tools/bin`. */
export const node24 = `node-${version}`;

/**
 * Takes Node.js out of its package on npm, which holds the binary for one platform. It is no dependency in package.json:
 * nobody but CI needs it. The folder `.tools/node-<version>/bin` has it under the name `node`.
 *
 * @returns {Promise<string>} empty when done, else why not
 */
export async function provideNode24() {
  const name = `node-${process.platform}-${process.arch}`;
  const work = join(toolsDir, `${node24}-${process.pid}.new`);
  try {
    await mkdir(work, { recursive: true });
    const npm = ['install', '--prefix', work, '--no-save', '--no-audit', '--no-fund', '--ignore-scripts'];
    const installed = await runCommand('npm', [...npm, `${name}@${version}`], {
      timeoutMs: 300_000,
      cwd: work,
      env: process.env,
    });
    if (!installed.ok) return installed.reason;
    const folder = join(toolsDir, node24);
    const bin = join(toolsDir, 'bin');
    await rm(folder, { recursive: true, force: true });
    await mkdir(bin, { recursive: true });
    await rename(join(work, 'node_modules', name), folder);
    await rm(join(bin, node24), { force: true });
    await symlink(join('..', node24, 'bin/node'), join(bin, node24));
    return '';
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
