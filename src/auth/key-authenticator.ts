import { VerdictError } from '../errors.js';
import type { Identity } from './identity.js';
import { KeyRing, type RingKey } from './key-ring.js';
import { presentedKey } from './presented-key.js';
import { expiredCredentials, invalidCredentials, revokedCredentials } from './refusals.js';
import type { Authenticator, AuthHooks, Credentials, Grant, KeyFile, RefusalReason } from './types.js';

const refusals: Readonly<Record<string, RefusalReason>> = {
  MISSING_CREDENTIALS: 'missing',
  EXPIRED_CREDENTIALS: 'expired',
  REVOKED_CREDENTIALS: 'revoked',
};

type Renew = (key: RingKey) => Identity;

/** A class, not a closure made beside the credentials: that would keep them in memory as long as the call lasts. */
class KeyGrant implements Grant {
  readonly #key: RingKey;
  readonly #renew: Renew;

  constructor(key: RingKey, renew: Renew) {
    this.#key = key;
    this.#renew = renew;
  }

  get identity(): Identity {
    return this.#key.identity;
  }

  renew(): Identity {
    return this.#renew(this.#key);
  }
}

/** Knows callers by the keys of the key file, as it is now. */
export class KeyAuthenticator implements Authenticator {
  readonly #hooks: Pick<AuthHooks, 'onRefused'>;
  readonly #now: () => number;
  readonly #listeners: (() => void)[] = [];
  #ring: KeyRing;
  #nextExpiry: number;

  /** @param now milliseconds since 1970 */
  constructor(file: KeyFile, hooks: Pick<AuthHooks, 'onRefused'> = {}, now: () => number = () => Date.now()) {
    this.#hooks = hooks;
    this.#now = now;
    this.#ring = new KeyRing(file);
    this.#nextExpiry = this.#ring.nextExpiry(now());
  }

  authenticate(credentials: Credentials): Grant {
    const key = this.#counted(() => {
      const found = this.#ring.find(presentedKey(credentials));
      if (found === undefined) throw invalidCredentials();
      this.#unexpired(found);
      return found;
    });
    return new KeyGrant(key, this.#renew);
  }

  names(): readonly string[] {
    return this.#ring.names();
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** These keys count from now on, and no others. */
  take(file: KeyFile): void {
    this.#ring = new KeyRing(file, this.#ring);
    this.#changed();
  }

  /** To be called from time to time: a key that expires ends the calls under way. */
  tick(): void {
    if (this.#now() >= this.#nextExpiry) this.#changed();
  }

  #changed(): void {
    this.#nextExpiry = this.#ring.nextExpiry(this.#now());
    for (const listener of this.#listeners) listener();
  }

  readonly #renew: Renew = (former) =>
    this.#counted(() => {
      const key = this.#ring.same(former);
      if (key === undefined) throw revokedCredentials();
      return this.#unexpired(key);
    });

  #unexpired({ identity, expiresAt }: RingKey): Identity {
    if (this.#now() >= expiresAt) throw expiredCredentials();
    return identity;
  }

  #counted<T>(find: () => T): T {
    try {
      return find();
    } catch (error) {
      if (error instanceof VerdictError) this.#hooks.onRefused?.(refusals[error.reason] ?? 'invalid');
      throw error;
    }
  }
}
