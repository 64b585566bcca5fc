import type { Authenticator, Credentials, Grant } from './types.js';

/** Three parts in base64url, of which the first is a JSON object. API keys have no dots. */
const tokenPattern = /^bearer +eyJ[\w-]*\.[\w-]*\.[\w-]*$/i;

/** Knows callers by API keys and by tokens, which look different. */
export class EitherAuthenticator implements Authenticator {
  readonly #keys: Authenticator;
  readonly #tokens: Authenticator;

  constructor(keys: Authenticator, tokens: Authenticator) {
    this.#keys = keys;
    this.#tokens = tokens;
  }

  authenticate(credentials: Credentials): Grant | Promise<Grant> {
    const isToken = tokenPattern.test(credentials.authorization ?? '');
    return (isToken ? this.#tokens : this.#keys).authenticate(credentials);
  }

  names(): readonly string[] {
    return [...this.#keys.names(), ...this.#tokens.names()];
  }

  onChange(listener: () => void): void {
    this.#keys.onChange(listener);
    this.#tokens.onChange(listener);
  }
}
