import type { Claim, ServiceClass } from '../claim.js';
import type { Call } from './route.js';

/** What the inputs of a unary or batch call may claim. The signal is made only if somebody has to wait. */
export class CallClaim implements Claim {
  readonly deadlineAt: number;
  readonly whenFull = 'refuse';
  readonly serviceClass: ServiceClass;
  readonly flow: object | undefined;
  readonly #call: Pick<Call<never>, 'signal'>;

  /** @param flow what the call's inputs are told from those of other calls by; undefined: they are not */
  constructor(
    call: Pick<Call<never>, 'signal' | 'deadlineAt'>,
    serviceClass: ServiceClass,
    flow: object | undefined,
  ) {
    this.#call = call;
    this.deadlineAt = call.deadlineAt;
    this.serviceClass = serviceClass;
    this.flow = flow;
  }

  get signal(): AbortSignal {
    return this.#call.signal;
  }
}
