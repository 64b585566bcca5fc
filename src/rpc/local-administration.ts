import { administrationIsLocal } from '../auth/refusals.js';
import type { CallHead, Interceptor, RpcMethod } from './interceptor.js';
import { envoyTimeoutKey, transcodedKey } from './metadata.js';
import { checkNeededScopes, neededScope } from './needed-scopes.js';
import { forwardedKey } from './peer.js';

/**
 * What proxies write into calls that they pass on: RFC 7239, RFC 9110, section 7.6.3, and the headers of Envoy, nginx, HAProxy and
 * their like. The value says nothing here: whoever sends one does not speak for itself.
 */
const proxyKeys = [
  forwardedKey,
  'forwarded',
  'via',
  'x-real-ip',
  'x-forwarded-by',
  'x-forwarded-client-cert',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  transcodedKey,
  envoyTimeoutKey,
];

/**
 * The gate where nobody is asked who they are: methods that administer the server are for callers on its own machine. What counts is
 * the other end of the connection. A call that a proxy on this machine passes on may come from anywhere.
 */
export class LocalAdministration implements Interceptor {
  readonly presenceKeys = proxyKeys;
  readonly #isLocal: (address: string) => boolean;

  /** @param isLocal whether an address is this machine's own, and no trusted proxy's */
  constructor(isLocal: (address: string) => boolean) {
    this.#isLocal = isLocal;
  }

  /** @throws Error for a method that nobody has thought of: it might administer the server */
  prepare(methods: readonly RpcMethod[]): void {
    checkNeededScopes(methods);
  }

  /** @throws VerdictError permission_denied */
  intercept(call: CallHead): undefined {
    if (neededScope(call) !== 'admin') return;
    const isForwarded = proxyKeys.some((key) => call.metadata(key) !== undefined);
    if (isForwarded || !this.#isLocal(call.address)) throw administrationIsLocal();
  }
}
