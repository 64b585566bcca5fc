import type { ServiceClass } from '../batching/types.js';
import { invalidField } from '../errors.js';
import type { Call } from './route.js';

/** Metadata by which a call asks for a class other than that of its method. Envoy passes on a header of this name. */
export const serviceClassKey = 'verdict-class';

/**
 * The class that a call asks for, or that of its method where it asks for none.
 * @throws VerdictError invalid_argument: there is no such class
 */
export function serviceClassOf(call: Pick<Call<never>, 'metadata'>, ofMethod: ServiceClass): ServiceClass {
  const asked = call.metadata(serviceClassKey);
  if (asked === undefined) return ofMethod;
  if (asked === 'interactive' || asked === 'bulk') return asked;
  throw invalidField(serviceClassKey, 'must be interactive or bulk where the metadata is sent');
}
