import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { repositoryRoot } from './repository.js';

const run = promisify(execFile);

/**
 * Puts together the folders that are published, out of what is built.
 *
 * @param out the folder to write them into
 * @param names `client`, `server`, `onnxruntime`
 * @returns the folders, in the order in which they may be published
 */
export async function stagePackages(out: string, names: readonly string[]): Promise<string[]> {
  const script = join(repositoryRoot, 'scripts/packages.mjs');
  const { stdout } = await run(process.execPath, [script, '--out', out, ...names]);
  return Array.from(stdout.matchAll(/^\S+: (.+)$/gm), ([, folder = '']) => folder);
}
