import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { toolsDir } from './paths.mjs';
import { runCommand } from './run-command.mjs';

/** A program that runs on a virtual machine, such as Maven, takes its time to start on a busy machine. */
const probeTimeoutMs = 30_000;

/**
 * The first program of that name, on the PATH or in `.tools/bin`, that really starts.
 *
 * @param {string} name
 * @param {readonly string[]} versionArgs what makes it print its version and exit
 * @param {readonly string[]} [moreFolders] looked into last
 * @returns {Promise<string | undefined>}
 */
export async function findTool(name, versionArgs, moreFolders = []) {
  const onPath = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  for (const folder of [...onPath, join(toolsDir, 'bin'), ...moreFolders]) {
    const path = join(folder, name);
    if ((await isExecutable(path)) && (await runCommand(path, versionArgs, { timeoutMs: probeTimeoutMs })).ok)
      return path;
  }
  return undefined;
}

async function isExecutable(path) {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
