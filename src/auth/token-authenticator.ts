import { createHash } from 'node:crypto';
import {
  createRemoteJWKSet,
  customFetch,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose';
import { LRUCache } from 'lru-cache';
import { WeightedFlow } from '../claim.js';
import { VerdictError } from '../errors.js';
import type { Identity } from './identity.js';
import { presentedKey } from './presented-key.js';
import { expiredCredentials, invalidCredentials, unverifiableCredentials } from './refusals.js';
import { tokenIdentity } from './token-identity.js';
import type { Authenticator, AuthHooks, Credentials, Grant } from './types.js';

export interface TokenRules {
  /** What `iss` must be. */
  readonly issuer: string;
  /** What `aud` must be, or hold. */
  readonly audience: string;
  /** Where the issuer publishes its keys. */
  readonly jwksUrl: string;
}

/** No secret that both sides know, and no `none`. */
const algorithms = ['RS256', 'PS256', 'ES256', 'EdDSA'];

/** How far the clocks of the issuer and of this server may be apart, in seconds. */
const clockToleranceS = 30;

/** How long a token that was good is believed without being verified again: keys of the issuer may be revoked. */
const believedMs = 5 * 60_000;
const maxBelieved = 10_000;
const maxFlows = 10_000;

/** Fetching the issuer's keys, in milliseconds. A token of an unknown key has them fetched again, but not more often. */
const fetchTimeoutMs = 3_000;
const refetchMs = 30_000;
const keysAgeMs = 10 * 60_000;

/** After a fetch that failed, calls that need one are refused at once for this long: each would wait for the time limit. */
const awayMs = 1_000;

interface Timing {
  /** Milliseconds since 1970. Default: Date.now. */
  readonly now?: () => number;
  /** How soon keys may be fetched again. Default: 30 s. */
  readonly refetchMs?: number;
  /** How long fetching them may take. Default: 3 s. */
  readonly fetchTimeoutMs?: number;
  /** How soon they are fetched again after that failed. Default: 1 s. */
  readonly awayMs?: number;
}

/** What verified claims say. */
interface Believed {
  readonly identity: Identity;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** Nobody was asked: the issuer did not answer a moment ago. */
class StillAway extends Error {}

/** Knows callers by tokens (JWT, RFC 7519) that an issuer has signed. */
export class TokenAuthenticator implements Authenticator {
  readonly #rules: TokenRules;
  readonly #hooks: Pick<AuthHooks, 'onRefused'>;
  readonly #now: () => number;
  readonly #keys: JWTVerifyGetKey;
  /** By the hashes of tokens. */
  readonly #believed: LRUCache<string, Believed>;
  readonly #flows = new LRUCache<string, WeightedFlow>({ max: maxFlows });
  readonly #listeners: (() => void)[] = [];
  readonly #awayMs: number;
  /** Until when the issuer is not asked again; milliseconds since 1970. */
  #awayUntil = 0;
  /** The next time at which a call under way may have to end. */
  #nextExpiry = Number.POSITIVE_INFINITY;

  constructor(rules: TokenRules, hooks: Pick<AuthHooks, 'onRefused'> = {}, timing: Timing = {}) {
    this.#rules = rules;
    this.#hooks = hooks;
    this.#now = timing.now ?? (() => Date.now());
    this.#awayMs = timing.awayMs ?? awayMs;
    this.#believed = new LRUCache({ max: maxBelieved, ttl: believedMs });
    this.#keys = createRemoteJWKSet(new URL(rules.jwksUrl), {
      timeoutDuration: timing.fetchTimeoutMs ?? fetchTimeoutMs,
      cooldownDuration: timing.refetchMs ?? refetchMs,
      cacheMaxAge: keysAgeMs,
      [customFetch]: (url, request) =>
        this.#now() < this.#awayUntil ? Promise.reject(new StillAway()) : fetch(url, request),
    });
  }

  /** Without a promise if the token was verified before. */
  authenticate(credentials: Credentials): Grant | Promise<Grant> {
    const token = this.#counted(() => presentedKey(credentials));
    const hash = createHash('sha256').update(token).digest('base64');
    const believed = this.#believed.get(hash);
    return believed === undefined ? this.#verify(token, hash) : this.#grant(believed);
  }

  names(): readonly string[] {
    const names = [...this.#flows.keys()].map((key) => key.slice(key.indexOf(' ') + 1));
    return [...new Set(names)];
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** To be called from time to time: a token that expires ends the calls under way. */
  tick(): void {
    if (this.#now() < this.#nextExpiry) return;
    this.#nextExpiry = Number.POSITIVE_INFINITY;
    for (const listener of this.#listeners) listener();
  }

  async #verify(token: string, hash: string): Promise<Grant> {
    let claims: JWTPayload;
    try {
      ({ payload: claims } = await jwtVerify(token, this.#keys, {
        issuer: this.#rules.issuer,
        audience: this.#rules.audience,
        algorithms,
        requiredClaims: ['sub', 'exp'],
        clockTolerance: clockToleranceS,
        currentDate: new Date(this.#now()),
      }));
    } catch (error) {
      throw this.#refused(this.#refusalOf(error));
    }
    const identity = tokenIdentity(claims, (name, weight) => this.#flowOf(name, weight));
    if (identity === undefined) throw this.#refused(invalidCredentials());
    const believed = { identity, expiresAt: ((claims.exp ?? 0) + clockToleranceS) * 1000 };
    this.#believed.set(hash, believed);
    return this.#grant(believed);
  }

  #grant(believed: Believed): Grant {
    const renew = (): Identity =>
      this.#counted(() => {
        if (this.#now() >= believed.expiresAt) throw expiredCredentials();
        this.#nextExpiry = Math.min(this.#nextExpiry, believed.expiresAt);
        return believed.identity;
      });
    return { identity: renew(), renew };
  }

  #flowOf(name: string, weight: number): WeightedFlow {
    const key = `${weight} ${name}`;
    let flow = this.#flows.get(key);
    if (flow === undefined) {
      flow = new WeightedFlow(weight);
      this.#flows.set(key, flow);
    }
    return flow;
  }

  /** What is wrong with the token, or with the way to the issuer. */
  #refusalOf(error: unknown): VerdictError {
    if (error instanceof errors.JWTExpired) return expiredCredentials();
    if (isAboutToken(error)) return invalidCredentials();
    if (!(error instanceof StillAway)) this.#awayUntil = this.#now() + this.#awayMs;
    return unverifiableCredentials(Math.max(1, this.#awayUntil - this.#now()), error);
  }

  #counted<T>(find: () => T): T {
    try {
      return find();
    } catch (error) {
      throw error instanceof VerdictError ? this.#refused(error) : error;
    }
  }

  #refused(error: VerdictError): VerdictError {
    this.#hooks.onRefused?.(reasons[error.reason] ?? 'invalid');
    return error;
  }
}

const reasons: Readonly<Record<string, Parameters<NonNullable<AuthHooks['onRefused']>>[0]>> = {
  MISSING_CREDENTIALS: 'missing',
  EXPIRED_CREDENTIALS: 'expired',
  UNVERIFIABLE_CREDENTIALS: 'unverifiable',
};

function isAboutToken(error: unknown): boolean {
  return (
    error instanceof errors.JOSEError &&
    !(error instanceof errors.JWKSTimeout) &&
    !(error instanceof errors.JWKSInvalid) &&
    // What the issuer answers but 200 is an error of no class of its own.
    error.code !== 'ERR_JOSE_GENERIC'
  );
}
