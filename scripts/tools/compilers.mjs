import { mkdir, rm, symlink } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { findTool } from './find-tool.mjs';
import { toolsDir } from './paths.mjs';

/** Where Go's archive and the distributions put it. */
const goFolders = ['/usr/local/go/bin', '/usr/lib/go/bin'];

/** Where rustup puts it. */
const cargoFolders = [join(homedir(), '.cargo/bin')];

/** @returns {Promise<string | undefined>} the Go toolchain of this machine */
export const findGo = () => findTool('go', ['version'], goFolders);

/** @returns {Promise<string>} empty when done, else why not */
export const provideGo = () => linkCompiler('go', ['version'], goFolders);

/** @returns {Promise<string>} empty when done, else why not */
export const provideCargo = () => linkCompiler('cargo', ['--version'], cargoFolders);

/** @returns {Promise<string>} empty when done, else why not */
export const provideMaven = () => linkCompiler('mvn', ['--version'], []);

/**
 * Puts a compiler of this machine into `.tools/bin` where it is not on the PATH; it is never fetched.
 *
 * @param {string} name
 * @param {readonly string[]} versionArgs
 * @param {readonly string[]} folders where it may be
 * @returns {Promise<string>} empty when done, else why not
 */
async function linkCompiler(name, versionArgs, folders) {
  const path = await findTool(name, versionArgs, folders);
  if (path === undefined) return 'it is not on the PATH';
  const bin = join(toolsDir, 'bin');
  await mkdir(bin, { recursive: true });
  await rm(join(bin, name), { force: true });
  await symlink(path, join(bin, name));
  return '';
}
