import type { Authenticator, AuthHooks } from '../auth/types.js';
import type { Config } from '../config.js';

/** How late a token that expires may end the calls under way. */
const expiryMs = 500;

/** Knows callers by tokens that an issuer has signed. */
export interface OpenTokens {
  readonly authenticator: Authenticator;
  start(): void;
  stop(): void;
}

/** Undefined where no issuer is set. Fetches nothing yet. */
export async function openTokens(
  { jwtIssuer: issuer, jwtAudience: audience, jwksUrl }: Config['auth'],
  hooks: AuthHooks,
): Promise<OpenTokens | undefined> {
  if (issuer === undefined || audience === undefined || jwksUrl === undefined) return undefined;
  // Loaded here alone: few servers need its library.
  const { TokenAuthenticator } = await import('../auth/token-authenticator.js');
  const authenticator = new TokenAuthenticator({ issuer, audience, jwksUrl }, hooks);
  let clock: NodeJS.Timeout | undefined;
  return {
    authenticator,
    start: () => {
      clock = setInterval(() => authenticator.tick(), expiryMs).unref();
    },
    stop: () => clearInterval(clock),
  };
}
