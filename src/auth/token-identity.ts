import type { JWTPayload } from 'jose';
import type { WeightedFlow } from '../claim.js';
import type { RateLimits } from '../ratelimit/types.js';
import { type CacheSharing, cacheSharings } from './cache-sharing.js';
import { Identity } from './identity.js';
import { type Scope, scopes } from './scopes.js';

/** Of a subject, in the log and as the name of its limits. */
const maxSubjectChars = 128;
const printable = /^[!-~]+$/;

/** As in a key file. */
const maxWeight = 1_000;
const maxLimit = 1e9;
const limitCount = 3;

/** Before the names of scopes: an identity provider serves other services too. */
const scopePrefix = 'verdict:';

/**
 * Who a verified token speaks for: `sub` is its name, `scope` (or `scp`) its scopes, each as `verdict:classify`, `verdict:models`
 * the models that it may use, all without it, `verdict:weight` its share of the sessions, 1 without it, `verdict:limits`
 * its limits, and `verdict:cache` whose cached answers it gets; without these two as the settings say.
 * @param flowOf its place in the queues, by its name and weight
 * @returns undefined if a claim is of no use
 */
export function tokenIdentity(
  claims: JWTPayload,
  flowOf: (name: string, weight: number) => WeightedFlow,
): Identity | undefined {
  const {
    sub,
    'verdict:models': models,
    'verdict:weight': weight = 1,
    'verdict:limits': given,
    'verdict:cache': cache,
  } = claims;
  // RFC 7519 wants a text, and nobody has checked: a list would be the name of its only entry, at any length.
  if (typeof sub !== 'string' || sub.length > maxSubjectChars || !printable.test(sub)) return undefined;
  if (models !== undefined && !isTexts(models)) return undefined;
  if (!isWhole(weight, 1, maxWeight)) return undefined;
  if (cache !== undefined && !isSharing(cache)) return undefined;
  const limits = given === undefined ? undefined : limitsIn(given);
  if (limits === null) return undefined;
  const name = `jwt:${sub}`;
  return new Identity({ name, scopes: scopesIn(claims), models, limits, cache, flow: flowOf(name, weight) });
}

/** RFC 8693 has a text with spaces; some providers send a list, and some call it `scp`. */
function scopesIn({ scope, scp }: JWTPayload): Scope[] {
  const given = scope ?? scp;
  const words = typeof given === 'string' ? given.split(' ') : isTexts(given) ? given : [];
  return scopes.filter((known) => words.includes(`${scopePrefix}${known}`));
}

/** Null if they are none. A name that does not exist would be a limit that nobody applies. */
function limitsIn(given: unknown): RateLimits | null {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return null;
  const limits = { requestsPerMinute: 0, tokensPerMinute: 0, textsInFlight: 0, ...given };
  const areKnown = Object.keys(limits).length === limitCount;
  return areKnown && Object.values(limits).every((limit) => isWhole(limit, 0, maxLimit)) ? limits : null;
}

function isWhole(value: unknown, min: number, max: number): value is number {
  return Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
}

function isSharing(value: unknown): value is CacheSharing {
  return cacheSharings.some((sharing) => sharing === value);
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
