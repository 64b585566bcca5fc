import { invalidCredentials, missingCredentials, twoCredentials } from './refusals.js';
import type { Credentials } from './types.js';

const bearer = /^bearer +/i;

/**
 * The key in either header. In `authorization` it needs the scheme: proxies and tools that hide credentials look for that.
 * @throws VerdictError unauthenticated if there is none, or one in each, or one of another scheme
 */
export function presentedKey({ authorization, apiKey }: Credentials): string {
  if (authorization !== undefined && apiKey !== undefined) throw twoCredentials();
  if (authorization !== undefined && !bearer.test(authorization)) throw invalidCredentials();
  const presented = authorization?.replace(bearer, '') ?? apiKey;
  if (presented === undefined || presented === '') throw missingCredentials();
  return presented;
}
