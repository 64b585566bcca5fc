import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Raise it with every change that gives any text other tokens. */
const REVISION = 1;

/** The packages whose code affects tokens. */
const PACKAGES = ['@huggingface/tokenizers', 'oniguruma-to-es'];

/**
 * Identifies the code that turns texts into tokens: two processes with the same fingerprint give the same tokens for
 * the same files. It covers this folder, the packages it uses, and the Unicode version of Node.js.
 * @example "1 @huggingface/tokenizers@0.2.0 oniguruma-to-es@4.3.6 unicode@17.0"
 */
export function tokenizerFingerprint(): string {
  const packages = PACKAGES.map((name) => `${name}@${versionOf(name)}`);
  return [REVISION, ...packages, `unicode@${process.versions.unicode}`].join(' ');
}

/** A package's own version; its exports may hide its package.json. */
function versionOf(name: string): string {
  const require = createRequire(import.meta.url);
  for (let folder = dirname(require.resolve(name)); folder !== dirname(folder); folder = dirname(folder)) {
    const manifest = readManifest(join(folder, 'package.json'));
    if (manifest?.name === name && manifest.version !== undefined) return manifest.version;
  }
  throw new Error(`the version of ${name} cannot be told`);
}

function readManifest(path: string): { name?: string; version?: string } | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
