import type { CallHead, CallObserver, HandledCall, Interceptor } from './interceptor.js';
import { neededScope } from './needed-scopes.js';
import type { RpcHooks } from './types.js';

/**
 * Tells of every call that administers the server, once it has ended. It stands behind the gates: what they refuse was no act, and
 * has its line in the access log.
 */
export class AdministrationAudit implements Interceptor, CallObserver {
  readonly #hooks: Pick<RpcHooks, 'onAdministered'>;

  constructor(hooks: Pick<RpcHooks, 'onAdministered'>) {
    this.#hooks = hooks;
  }

  intercept(call: CallHead): CallObserver | undefined {
    return neededScope(call) === 'admin' ? this : undefined;
  }

  onEnd({ requestId, service, method, code, peer, identity, facts = {} }: HandledCall): void {
    this.#hooks.onAdministered?.({ requestId, service, method, code, peer, identity, facts });
  }
}
