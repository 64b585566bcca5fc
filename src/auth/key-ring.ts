import { createSecretKey, hash, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto';
import { WeightedFlow } from '../claim.js';
import { Identity } from './identity.js';
import { hashOfKey, idOfKey } from './key-format.js';
import type { KeyEntry, KeyFile } from './types.js';

/** One key of a ring. */
export interface RingKey {
  readonly id: string;
  readonly hash: Buffer;
  /** Of the file: what the hash was made with. */
  readonly secret: KeyObject;
  readonly identity: Identity;
  /** Milliseconds since 1970; Infinity: never. */
  readonly expiresAt: number;
}

/** Compared with where there is no key of the id, so that an unknown id takes as long as a wrong key. */
const decoy = randomBytes(32);

/** The keys of one state of the key file. */
export class KeyRing {
  readonly #secret: KeyObject;
  readonly #keys: ReadonlyMap<string, RingKey>;
  /** Those that were shown and found equal, by SHA-256 of what was shown. One plain hash costs a tenth of an HMAC. */
  readonly #shown = new Map<string, RingKey>();

  /** @param former the ring that this one replaces: callers keep their places in the queues */
  constructor({ secret, keys }: KeyFile, former?: KeyRing) {
    this.#secret = createSecretKey(secret, 'base64url');
    this.#keys = new Map(
      keys.map((entry) => [entry.id, ringKey(entry, this.#secret, former?.get(entry.id))]),
    );
  }

  get(id: string): RingKey | undefined {
    return this.#keys.get(id);
  }

  /** The names of its identities, of expired keys too. */
  names(): string[] {
    return [...this.#keys.values()].map(({ identity }) => identity.name);
  }

  /** When the next of its keys expires, after `now`. */
  nextExpiry(now: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { expiresAt } of this.#keys.values())
      if (expiresAt > now && expiresAt < next) next = expiresAt;
    return next;
  }

  /** The key that was shown; undefined if it is none of these. What is no key at all costs no HMAC. */
  find(presented: string): RingKey | undefined {
    const id = idOfKey(presented);
    if (id === undefined) return undefined;
    const digest = hash('sha256', presented, 'base64');
    const shown = this.#shown.get(digest);
    if (shown !== undefined) return shown;
    const key = this.#keys.get(id);
    const isEqual = timingSafeEqual(hashOfKey(presented, this.#secret), key?.hash ?? decoy);
    if (!isEqual || key === undefined) return undefined;
    // A key is spelt in one way, so there are no more of these than keys.
    this.#shown.set(digest, key);
    return key;
  }

  /** The same key in this ring, where a former ring has found it; undefined if it was revoked, or replaced under its id. */
  same(former: RingKey): RingKey | undefined {
    const key = this.#keys.get(former.id);
    const isSame = key?.hash.equals(former.hash) === true && this.#secret.equals(former.secret);
    return isSame ? key : undefined;
  }
}

function ringKey(
  { id, hash, scopes, models, limits, cache, weight, expiresAt }: KeyEntry,
  secret: KeyObject,
  former: RingKey | undefined,
): RingKey {
  const place = former?.identity.flow;
  const flow = place?.weight === weight ? place : new WeightedFlow(weight);
  const identity = new Identity({ name: `key:${id}`, scopes, models, limits, cache, flow });
  return { id, hash: Buffer.from(hash, 'base64url'), secret, identity, expiresAt };
}
