import { EitherAuthenticator } from '../auth/either-authenticator.js';
import type { Authenticator, AuthHooks } from '../auth/types.js';
import type { Config } from '../config.js';
import { openKeys } from './open-keys.js';
import { openTokens } from './open-tokens.js';

/** Knows callers by what the settings allow: API keys, tokens, or both. */
export interface OpenAuthenticator {
  readonly authenticator: Authenticator;
  start(): void;
  stop(): void;
}

/**
 * Undefined where callers are not asked who they are.
 * @throws Error with a sentence for each thing wrong with the key file
 */
export async function openAuthenticator(
  auth: Config['auth'],
  hooks: AuthHooks,
): Promise<OpenAuthenticator | undefined> {
  const [keys, tokens] = [await openKeys(auth, hooks), await openTokens(auth, hooks)];
  if (keys === undefined || tokens === undefined) return keys ?? tokens;
  return {
    authenticator: new EitherAuthenticator(keys.authenticator, tokens.authenticator),
    start: () => {
      keys.start();
      tokens.start();
    },
    stop: () => {
      keys.stop();
      tokens.stop();
    },
  };
}
