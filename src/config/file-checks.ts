import { X509Certificate } from 'node:crypto';
import { accessSync, constants, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { systemTrouble } from '../errors/system-trouble.js';
import { readSettingsFile } from './read-settings-file.js';
import type { Settings } from './schema.js';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** What is wrong with the files that settings name. `nameOf` gives a setting's name as the user knows it. */
export function checkFiles(settings: Settings, cwd: string, nameOf: (path: string) => string): string[] {
  const checks = [
    ['redis.caFile', settings.redis.caFile, authorityTrouble],
    ['log.traceArrivals', settings.log.traceArrivals, outputTrouble],
  ] as const;
  return checks.flatMap(([setting, path, check]) => {
    const trouble = path === undefined ? undefined : check(resolve(cwd, path));
    return trouble === undefined ? [] : [`${nameOf(setting)} is ${JSON.stringify(path)}: ${trouble}.`];
  });
}

/** A TLS library passes over what it cannot use, and then trusts nobody. */
function authorityTrouble(path: string): string | undefined {
  // It is read again for the connection, and what comes out of a pipe can be read once.
  if (isSpecialFile(path)) return 'it is not a regular file';
  const file = readSettingsFile(path);
  if ('trouble' in file) return `it ${file.trouble}`;
  const certificates = file.content.match(CERTIFICATE) ?? [];
  if (certificates.length === 0) return 'it holds no certificate in PEM (-----BEGIN CERTIFICATE-----)';
  const bad = certificates.findIndex((pem) => !isCertificate(pem));
  return bad === -1 ? undefined : `certificate ${bad + 1} in it cannot be read`;
}

/** What cannot be looked at is told by who reads it. */
function isSpecialFile(path: string): boolean {
  try {
    const found = statSync(path);
    return !found.isFile() && !found.isDirectory();
  } catch {
    return false;
  }
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
}

/** Whether the file, or one beside it, may be written, as far as that can be told without doing it. */
function outputTrouble(path: string): string | undefined {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.isDirectory() === true) return 'it is a directory';
    // The slash asks for a directory: a file in its place is no error above, by Node 24.
    accessSync(found === undefined ? `${dirname(path)}/` : path, constants.W_OK);
    return undefined;
  } catch (error) {
    return `it cannot be written: ${systemTrouble(error)}`;
  }
}
