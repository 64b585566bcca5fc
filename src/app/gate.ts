import type { Authenticator } from '../auth/types.js';
import { isLoopback } from '../config/loopback.js';
import type { Config } from '../config.js';
import { Authentication } from '../rpc/authentication.js';
import type { Interceptor } from '../rpc/interceptor.js';
import { LocalAdministration } from '../rpc/local-administration.js';
import { Peers } from '../rpc/peer.js';
import { trustedProxiesIn } from './trusted-proxies.js';

/**
 * The step at which a call is let in or refused.
 * @param authenticator undefined: callers are not asked who they are
 */
export function gateOf(
  authenticator: Authenticator | undefined,
  server: Pick<Config['server'], 'trustedProxies'>,
): Interceptor {
  if (authenticator !== undefined) return new Authentication(authenticator);
  const proxies = new Peers(trustedProxiesIn(server));
  return new LocalAdministration((address) => isLoopback(address) && !proxies.isTrusted(address));
}
