import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { repositoryRoot } from './repository.js';

const run = promisify(execFile);

const NPM_TIMEOUT_MS = 120_000;

/** npm's own words for a registry that cannot be reached. */
const OUT_OF_REACH = /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|ETIMEDOUT|ENOTCACHED)\b/;

/** A folder outside the repository, an ES module project, into which a workspace is packed and installed as anybody would. */
export class EmptyProject {
  readonly folder: string;
  /** Why nothing could be installed: the registry is out of reach. Empty where all is well. */
  readonly unavailable: string;

  private constructor(folder: string, unavailable: string) {
    this.folder = folder;
    this.unavailable = unavailable;
  }

  /**
   * @param workspace the name of the package
   * @throws Error when it cannot be packed or installed; with `CI=true` also when the registry is out of reach
   */
  static async with(workspace: string): Promise<EmptyProject> {
    const folder = await mkdtemp(join(tmpdir(), 'verdict-empty-project-'));
    try {
      await writeFile(join(folder, 'package.json'), '{"private":true,"type":"module"}\n');
      const packed = await npm(repositoryRoot, [
        'pack',
        `--workspace=${workspace}`,
        '--json',
        `--pack-destination=${folder}`,
      ]);
      const filename = /"filename": "([^"]+)"/.exec(packed)?.[1] ?? '';
      return new EmptyProject(folder, await install(folder, `./${filename}`));
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }
}

async function install(folder: string, tarball: string): Promise<string> {
  try {
    await npm(folder, [
      'install',
      '--prefer-offline',
      '--fetch-retries=1',
      '--no-audit',
      '--no-fund',
      tarball,
    ]);
    return '';
  } catch (error) {
    const code = OUT_OF_REACH.exec(String(error))?.[1];
    if (code === undefined || process.env.CI === 'true') throw error;
    return `the npm registry is out of reach: ${code}`;
  }
}

/** Without what `npm test` tells its children of its own project. */
async function npm(cwd: string, args: readonly string[]): Promise<string> {
  const own = Object.entries(process.env).filter(([key]) => !/^npm_(?!config_(registry|cache)$)/i.test(key));
  const { stdout } = await run('npm', [...args], {
    cwd,
    env: Object.fromEntries(own),
    timeout: NPM_TIMEOUT_MS,
  });
  return stdout;
}
