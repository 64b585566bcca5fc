import type { Identity } from '../auth/identity.js';
import { missingScope } from '../auth/refusals.js';
import type { Scope } from '../auth/scopes.js';
import type { Authenticator, Credentials, Grant } from '../auth/types.js';
import type { MaybePromise } from '../concurrency/maybe-promise.js';
import { VerdictError } from '../errors.js';
import type { CallHead, CallObserver, Interceptor, RpcMethod } from './interceptor.js';
import { serviceClassKey } from './metadata.js';
import { checkNeededScopes, neededScope } from './needed-scopes.js';

const authorizationKey = 'authorization';
const apiKeyKey = 'x-api-key';

/**
 * Asks every call who it is, and lets it pass if its credentials are good and have the scope. Credentials that are good no longer
 * end the calls that they let in.
 */
export class Authentication implements Interceptor {
  readonly metadataKeys = [authorizationKey, apiKeyKey];
  readonly #authenticator: Authenticator;
  /** Calls under way, what let them in, and what they asked for then: a protocol may give a call its class later. */
  readonly #calls = new Map<CallHead, { readonly grant: Grant; readonly wanted: readonly Scope[] }>();

  constructor(authenticator: Authenticator) {
    this.#authenticator = authenticator;
    authenticator.onChange(() => this.#review());
  }

  /** @throws Error for a method that nobody has thought of: it must not be open by oversight */
  prepare(methods: readonly RpcMethod[]): void {
    checkNeededScopes(methods);
  }

  intercept(call: CallHead): MaybePromise<CallObserver | undefined> {
    const credentials = takeCredentials(call);
    if (neededScope(call) === 'open') return undefined;
    const grant = this.#authenticator.authenticate(credentials);
    return grant instanceof Promise
      ? grant.then((found) => this.#admit(call, found))
      : this.#admit(call, grant);
  }

  #admit(call: CallHead, grant: Grant): CallObserver {
    const wanted = wantedScopes(call);
    admit(call, grant.identity, wanted);
    this.#calls.set(call, { grant, wanted });
    return { onEnd: () => this.#calls.delete(call) };
  }

  #review(): void {
    for (const [call, { grant, wanted }] of this.#calls) {
      try {
        admit(call, grant.renew(), wanted);
      } catch (error) {
        if (!(error instanceof VerdictError)) throw error;
        call.fail(error);
      }
    }
  }
}

function takeCredentials(call: CallHead): Credentials {
  return { authorization: call.takeMetadata(authorizationKey), apiKey: call.takeMetadata(apiKeyKey) };
}

/** What its method and its headers need. Of a method that does not exist, everybody who is known may hear so. */
function wantedScopes(call: CallHead): readonly Scope[] {
  const scope = neededScope(call);
  const ofMethod = scope === undefined || scope === 'open' ? [] : [scope];
  return call.metadata(serviceClassKey) === 'interactive' ? [...ofMethod, 'interactive'] : ofMethod;
}

/** @throws VerdictError permission_denied. The call has its identity then, for the log */
function admit(call: CallHead, identity: Identity, wanted: readonly Scope[]): void {
  call.identify(identity);
  for (const scope of wanted) if (!identity.has(scope)) throw missingScope(scope);
}
