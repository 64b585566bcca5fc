import type { Keyspace } from '../cache/types.js';
import type { Claim, InputTrace, ServiceClass } from '../claim.js';
import type { InputClaim } from '../classify/types.js';
import type { Call } from './route.js';

/** What the inputs of a request may claim, where that differs from what its call says. */
export interface ClaimTerms {
  /** performance.now() milliseconds. */
  readonly deadlineAt: number;
  readonly whenFull: Claim['whenFull'];
}

/** What the inputs of a request may claim. Signal and caller are looked up only if somebody has to wait. */
export class CallClaim implements InputClaim {
  readonly deadlineAt: number;
  readonly whenFull: Claim['whenFull'];
  readonly serviceClass: ServiceClass;
  readonly keyspace: Keyspace | undefined;
  readonly trace: InputTrace | undefined;
  readonly #call: Pick<Call<never>, 'signal' | 'caller'>;

  /**
   * @param trace of the input; undefined: it is not traced, or the claim serves several that are not
   * @param terms left out: those of a unary or batch call
   */
  constructor(
    call: Pick<Call<never>, 'signal' | 'caller' | 'deadlineAt'>,
    serviceClass: ServiceClass,
    keyspace: Keyspace | undefined,
    trace: InputTrace | undefined,
    terms?: ClaimTerms,
  ) {
    this.#call = call;
    this.deadlineAt = terms?.deadlineAt ?? call.deadlineAt;
    this.whenFull = terms?.whenFull ?? 'refuse';
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
