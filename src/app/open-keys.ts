import { basename } from 'node:path';
import { KeyAuthenticator } from '../auth/key-authenticator.js';
import { KeyWatch } from '../auth/key-watch.js';
import type { AuthHooks } from '../auth/types.js';
import type { Config } from '../config.js';
import { fileContent } from '../tls/file-content.js';
import { readKeysApart } from './read-keys-apart.js';

/** How late a key that expires may end the calls under way. */
const expiryMs = 500;

/** Knows callers by the keys of the file, as it is at any time. */
export interface OpenKeys {
  readonly authenticator: KeyAuthenticator;
  /** Follows the file from now on. */
  start(): void;
  stop(): void;
}

/**
 * The keys; undefined where callers need none.
 * @throws Error with a sentence for each thing wrong with the file
 */
export async function openKeys(
  { keysFile: path }: Config['auth'],
  hooks: AuthHooks,
): Promise<OpenKeys | undefined> {
  if (path === undefined) return undefined;
  const name = basename(path);
  const watch = await KeyWatch.open({
    name,
    look: () => fileContent(path),
    parse: (content) => readKeysApart({ content, name }),
    hooks,
  });
  const authenticator = new KeyAuthenticator(watch.first, hooks);
  let clock: NodeJS.Timeout | undefined;
  return {
    authenticator,
    start: () => {
      watch.start((file) => authenticator.take(file));
      // Not at each look: one lasts as long as it takes to read the file.
      clock = setInterval(() => authenticator.tick(), expiryMs).unref();
    },
    stop: () => {
      watch.close();
      clearInterval(clock);
    },
  };
}
