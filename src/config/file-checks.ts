import { accessSync, constants, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { systemTrouble } from '../errors/system-trouble.js';
import { type ForEachFile, readCredentials } from '../tls/credentials.js';
import { certificatesIn } from '../tls/pem.js';
import { parseKeyFile } from './key-file.js';
import { readSettingsFile } from './read-settings-file.js';
import type { SettingValues } from './schema.js';

/** Problems with the files that settings name. `nameOf` gives a setting's name as the user knows it. */
export async function checkFiles(
  values: SettingValues,
  cwd: string,
  nameOf: (path: string) => string,
): Promise<string[]> {
  const checks = [
    ['redis.caFile', values.redis.caFile, authorityTrouble],
    ['log.traceArrivals', values.log.traceArrivals, outputTrouble],
  ] as const;
  const found = checks.flatMap(([setting, path, check]) => {
    const trouble = path === undefined ? undefined : check(resolve(cwd, path));
    return trouble === undefined ? [] : [{ setting, path, trouble }];
  });
  const sentences = [...found, ...tlsTroubles(values.tls, cwd)].map(
    ({ setting, path, trouble }) => `${nameOf(setting)} is ${JSON.stringify(path)}: ${trouble}.`,
  );
  return [...sentences, ...(await keyFileTroubles(values.auth.keysFile, cwd, nameOf('auth.keysFile')))];
}

async function keyFileTroubles(path: string | undefined, cwd: string, name: string): Promise<string[]> {
  if (path === undefined) return [];
  const read = readPlainFile(resolve(cwd, path));
  if ('trouble' in read) return [`${name} is ${JSON.stringify(path)}: it ${read.trouble}.`];
  const found = await parseKeyFile(read.content, path);
  return 'problems' in found ? [...found.problems] : [];
}

/** Each file alone, then whether they fit together: what the server would find when it loads them. */
function tlsTroubles({ cert, key, clientCa }: SettingValues['tls'], cwd: string) {
  // The cross-check tells if one of them is missing.
  if (cert === undefined || key === undefined) return [];
  const paths: ForEachFile<string> = { cert, key, clientCa };
  const contents: { -readonly [F in keyof ForEachFile<string>]?: string | undefined } = {};
  const troubles = (['cert', 'key', 'clientCa'] as const).flatMap((file) => {
    const path = paths[file];
    const read = path === undefined ? undefined : readPlainFile(resolve(cwd, path));
    if (read !== undefined && 'trouble' in read) return [{ file, trouble: read.trouble }];
    contents[file] = read?.content;
    return [];
  });
  const pem = { cert: contents.cert ?? '', key: contents.key ?? '', clientCa: contents.clientCa };
  const found = readCredentials(pem, Date.now());
  // Of a file that could not be read, nothing more needs saying.
  const unread = new Set(troubles.map(({ file }) => file));
  const unusable = 'troubles' in found ? found.troubles.filter(({ file }) => !unread.has(file)) : [];
  return [...troubles, ...unusable].map(({ file, trouble }) => ({
    setting: `tls.${file}`,
    path: paths[file],
    trouble: `it ${trouble}`,
  }));
}

/** A TLS library skips certificates that it cannot use, and then trusts nobody. */
function authorityTrouble(path: string): string | undefined {
  const file = readPlainFile(path);
  const found = 'trouble' in file ? file : certificatesIn(file.content);
  return 'trouble' in found ? `it ${found.trouble}` : undefined;
}

/** The server reads the file again, and a pipe can be read only once. */
function readPlainFile(path: string): ReturnType<typeof readSettingsFile> {
  return isSpecialFile(path) ? { trouble: 'is not a regular file' } : readSettingsFile(path);
}

/** If the file cannot be examined, the reader reports why. */
function isSpecialFile(path: string): boolean {
  try {
    const found = statSync(path);
    return !found.isFile() && !found.isDirectory();
  } catch {
    return false;
  }
}

/** Why the file cannot be written, as far as that is known without writing it. */
function outputTrouble(path: string): string | undefined {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.isDirectory() === true) return 'it is a directory';
    // The slash requires a directory: on Node 24, a file in its place is no error above.
    accessSync(found === undefined ? `${dirname(path)}/` : path, constants.W_OK);
    return undefined;
  } catch (error) {
    return `it cannot be written: ${systemTrouble(error)}`;
  }
}
