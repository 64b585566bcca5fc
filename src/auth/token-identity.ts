import type { JWTPayload } from 'jose';
import type { WeightedFlow } from '../claim.js';
import { Identity } from './identity.js';
import { type Scope, scopes } from './scopes.js';

/** Of a subject, in the log and as the name of its limits. */
const maxSubjectChars = 128;
const printable = /^[!-~]+$/;

/** Before the names of scopes: an identity provider serves other services too. */
const scopePrefix = 'verdict:';

/**
 * Who a verified token speaks for: `sub` is its name, `scope` (or `scp`) its scopes, each as `verdict:classify`, and `verdict:models`
 * the models that it may use, all without it.
 * @param flowOf its place in the queues, by its name
 * @returns undefined if a claim is of no use
 */
export function tokenIdentity(
  claims: JWTPayload,
  flowOf: (name: string) => WeightedFlow,
): Identity | undefined {
  const { sub, 'verdict:models': models } = claims;
  if (sub === undefined || sub.length > maxSubjectChars || !printable.test(sub)) return undefined;
  if (models !== undefined && !isTexts(models)) return undefined;
  const name = `jwt:${sub}`;
  return new Identity({
    name,
    scopes: scopesIn(claims),
    models,
    limits: undefined,
    cache: undefined,
    flow: flowOf(name),
  });
}

/** RFC 8693 has a text with spaces; some providers send a list, and some call it `scp`. */
function scopesIn({ scope, scp }: JWTPayload): Scope[] {
  const given = scope ?? scp;
  const words = typeof given === 'string' ? given.split(' ') : isTexts(given) ? given : [];
  return scopes.filter((known) => words.includes(`${scopePrefix}${known}`));
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
