import type { Claim, InputTrace, ServiceClass } from '../claim.js';
import type { Call } from './route.js';

/** What the inputs of a unary or batch call may claim. Signal and caller are looked up only if somebody has to wait. */
export class CallClaim implements Claim {
  readonly deadlineAt: number;
  readonly whenFull = 'refuse';
  readonly serviceClass: ServiceClass;
  readonly trace: InputTrace | undefined;
  readonly #call: Pick<Call<never>, 'signal' | 'caller'>;

  /** @param trace of the input; undefined: it is not traced, or the claim serves several that are not */
  constructor(
    call: Pick<Call<never>, 'signal' | 'caller' | 'deadlineAt'>,
    serviceClass: ServiceClass,
    trace: InputTrace | undefined,
  ) {
    this.#call = call;
    this.deadlineAt = call.deadlineAt;
    this.serviceClass = serviceClass;
    this.trace = trace;
  }

  get flow(): object {
    return this.#call.caller;
  }

  get signal(): AbortSignal {
    return this.#call.signal;
  }
}
