import type { Caller } from '../classify/types.js';
import type { Call } from './route.js';

/** A call as the classifier sees who asks. The signal is made only if somebody has to wait. */
export class CallCaller implements Caller {
  readonly deadlineAt: number;
  readonly whenFull: 'refuse' | 'wait';
  readonly #call: Pick<Call<never>, 'signal'>;

  constructor(call: Pick<Call<never>, 'signal' | 'deadlineAt'>, whenFull: 'refuse' | 'wait') {
    this.#call = call;
    this.deadlineAt = call.deadlineAt;
    this.whenFull = whenFull;
  }

  get signal(): AbortSignal {
    return this.#call.signal;
  }
}
