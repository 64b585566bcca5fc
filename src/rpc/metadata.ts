import { randomUUID } from 'node:crypto';
import type { ServiceClass } from '../claim.js';
import { invalidField } from '../errors.js';
import type { Call } from './route.js';

/** The metadata key that carries the id of a call, both ways. */
export const requestIdKey = 'x-request-id';

const acceptable = /^[A-Za-z0-9._-]{1,128}$/;

/**
 * The caller's id if it is short and plain enough for a log and a header, else a new one. An id that is not is replaced, never
 * truncated or escaped, so the id in the reply equals the id in the log.
 */
export function requestIdFrom(value: unknown): string {
  return typeof value === 'string' && acceptable.test(value) ? value : randomUUID();
}

/** Metadata that Envoy's gRPC-JSON transcoder sets. The caller speaks HTTP and sees neither status nor trailers. */
export const transcodedKey = 'x-envoy-original-path';

/** Metadata in which Envoy says how long its route allows. */
export const envoyTimeoutKey = 'x-envoy-expected-rq-timeout-ms';

/**
 * How long a call without a deadline may take, in milliseconds: the default, or what Envoy's route allows if that is shorter. If
 * Envoy's header is not a whole number above 0, it counts as absent.
 */
export function ownTimeoutMs(envoysHeader: string | undefined, defaultMs: number): number {
  const envoys = Number(envoysHeader);
  return Number.isSafeInteger(envoys) && envoys > 0 ? Math.min(envoys, defaultMs) : defaultMs;
}

/** Metadata with which a call asks for another class than that of its method. Envoy passes on a header of this name. */
export const serviceClassKey = 'verdict-class';

/**
 * The class that a call asks for, or that of its method if it asks for none.
 * @throws VerdictError invalid_argument if there is no such class
 */
export function serviceClassOf(call: Pick<Call<never>, 'metadata'>, ofMethod: ServiceClass): ServiceClass {
  const asked = call.metadata(serviceClassKey);
  if (asked === undefined) return ofMethod;
  if (asked === 'interactive' || asked === 'bulk') return asked;
  throw invalidField(serviceClassKey, 'must be interactive or bulk');
}

/** Metadata that keeps requests together: those with the same value go to the same version of a model. */
export const routingKeyKey = 'verdict-routing-key';

const routingKeyPattern = /^[A-Za-z0-9._~:@/+=-]{1,128}$/;

/**
 * What a call wants its requests kept together by; undefined: nothing.
 * @throws VerdictError invalid_argument, which does not quote it: it may say who somebody is
 */
export function routingKeyOf(call: Pick<Call<never>, 'metadata'>): string | undefined {
  const key = call.metadata(routingKeyKey);
  if (key === undefined || routingKeyPattern.test(key)) return key;
  throw invalidField(routingKeyKey, 'must be 1 to 128 of A-Z, a-z, 0-9 and ._~:@/+=-');
}
