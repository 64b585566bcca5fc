import type { ServiceClass } from '../batching/types.js';
import type { Caller } from '../classify/types.js';
import type { Call } from './route.js';

/** A call as the classifier sees who asks. The signal is made only if somebody has to wait. */
export class CallCaller implements Caller {
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
