import type { Keyspace } from '../cache/types.js';
import type { ServiceClass } from '../claim.js';
import type { InputClaim } from '../classify/types.js';
import type { Call } from './route.js';

/** What the inputs of a unary or batch call may claim. Signal and caller are looked up only if somebody has to wait. */
export class CallClaim implements InputClaim {
  readonly deadlineAt: number;
  readonly whenFull = 'refuse';
  readonly serviceClass: ServiceClass;
  readonly keyspace: Keyspace | undefined;
  readonly #call: Pick<Call<never>, 'signal' | 'caller'>;

  constructor(
    call: Pick<Call<never>, 'signal' | 'caller' | 'deadlineAt'>,
    serviceClass: ServiceClass,
    keyspace: Keyspace | undefined,
  ) {
    this.#call = call;
    this.deadlineAt = call.deadlineAt;
    this.serviceClass = serviceClass;
    this.keyspace = keyspace;
  }

  get flow(): object {
    return this.#call.caller;
  }

  get signal(): AbortSignal {
    return this.#call.signal;
  }
}
