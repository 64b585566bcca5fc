import type { Keyspace } from '../cache/types.js';
import type { InputTrace, ServiceClass } from '../claim.js';
import type { InputClaim } from '../classify/types.js';
import type { Call } from './route.js';

/** What the inputs of a unary or batch call may claim. Signal and caller are looked up only if somebody has to wait. */
export class CallClaim implements InputClaim {
  readonly deadlineAt: number;
  readonly whenFull = 'refuse';
  readonly serviceClass: ServiceClass;
  readonly keyspace: Keyspace | undefined;
  readonly trace: InputTrace | undefined;
  readonly #call: Pick<Call<never>, 'signal' | 'caller'>;

  /** @param trace of the input; undefined: it is not traced, or the claim serves several that are not */
  constructor(
    call: Pick<Call<never>, 'signal' | 'caller' | 'deadlineAt'>,
    serviceClass: ServiceClass,
    keyspace: Keyspace | undefined,
    trace: InputTrace | undefined,
  ) {
    this.#call = call;
    this.deadlineAt = call.deadlineAt;
    this.serviceClass = serviceClass;
    this.keyspace = keyspace;
    this.trace = trace;
  }

  get flow(): object {
    return this.#call.caller;
  }

  get signal(): AbortSignal {
    return this.#call.signal;
  }
}
