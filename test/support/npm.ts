import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

const NPM_TIMEOUT_MS = 240_000;
const MAX_OUTPUT_BYTES = 16 * 2 ** 20;

/** npm's own words for a registry that cannot be reached. */
const OUT_OF_REACH = /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|ETIMEDOUT|ENOTCACHED)\b/;

/** This process's environment without what `npm test` tells its children of its own project. */
export function npmEnvironment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([key]) => !/^npm_(?!config_(registry|cache)$)/i.test(key));
  return Object.fromEntries(own);
}

/** What npm writes to standard output. */
export async function npm(cwd: string, args: readonly string[]): Promise<string> {
  const { stdout } = await run('npm', [...args], {
    cwd,
    env: npmEnvironment(),
    timeout: NPM_TIMEOUT_MS,
    maxBuffer: MAX_OUTPUT_BYTES,
  });
  return stdout;
}

/**
 * Installs packages into a folder, as anybody would.
 *
 * @returns why nothing could be installed: the registry is out of reach. Empty where all is well.
 * @throws Error for any other failure; with `CI=true` also when the registry is out of reach
 */
export async function npmInstall(folder: string, args: readonly string[]): Promise<string> {
  try {
    await npm(folder, [
      'install',
      '--prefer-offline',
      '--fetch-retries=1',
      '--no-audit',
      '--no-fund',
      ...args,
    ]);
    return '';
  } catch (error) {
    const code = OUT_OF_REACH.exec(String(error))?.[1];
    if (code === undefined || process.env.CI === 'true') throw error;
    return `the npm registry is out of reach: ${code}`;
  }
}
