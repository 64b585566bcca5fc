import type { RateLimits } from '../ratelimit/types.js';
import type { CacheSharing } from './cache-sharing.js';
import type { Identity } from './identity.js';
import type { Scope } from './scopes.js';

/** One key, as the key file holds it. */
export interface KeyEntry {
  readonly id: string;
  /** HMAC-SHA-256 of the key under the file's secret, in base64url. */
  readonly hash: string;
  readonly scopes: readonly Scope[];
  /** Undefined: all. */
  readonly models: readonly string[] | undefined;
  /** What it may use; undefined: what the settings give every caller. */
  readonly limits: RateLimits | undefined;
  /** Whose cached answers it gets; undefined: as the settings say for every caller. */
  readonly cache: CacheSharing | undefined;
  /** Its share among callers, where one without a weight has 1. */
  readonly weight: number;
  /** Milliseconds since 1970; Infinity: never. */
  readonly expiresAt: number;
}

/** What a key file holds. */
export interface KeyFile {
  /** 256 bits in base64url: the key of the HMAC. */
  readonly secret: string;
  readonly keys: readonly KeyEntry[];
}

/** What a caller shows to say who it is: the values of two headers. */
export interface Credentials {
  readonly authorization: string | undefined;
  readonly apiKey: string | undefined;
}

/** What good credentials give. */
export interface Grant {
  /** As it was when the credentials were shown. */
  readonly identity: Identity;
  /**
   * As it is now.
   * @throws VerdictError unauthenticated if the credentials are no longer good
   */
  renew(): Identity;
}

/** Knows callers by their credentials. */
export interface Authenticator {
  /** @throws VerdictError, also by rejection: unauthenticated, or unavailable if nobody can tell now */
  authenticate(credentials: Credentials): Grant | Promise<Grant>;
  /** The names of the identities that it knows: those that it would let in, and those that it remembers to have let in. */
  names(): readonly string[];
  /** The listener is called whenever grants may have to be renewed. */
  onChange(listener: () => void): void;
}

/** Why credentials were refused. */
export type RefusalReason = 'missing' | 'invalid' | 'expired' | 'revoked' | 'unverifiable';

/** Events for telemetry. None may throw. */
export interface AuthHooks {
  /** Credentials were refused, or ended a call under way. */
  onRefused?(reason: RefusalReason): void;
  /** The keys of the file are in use; the first ones too. */
  onKeysLoaded?(count: number): void;
  /** The file has changed and cannot be used; the former keys stay. `trouble` names file, key and field. */
  onKeysReloadFailed?(trouble: string): void;
  /** The file holds the keys in use again, after a failure. */
  onKeysRestored?(): void;
}
