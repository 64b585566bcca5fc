import type {
  ClassifyStreamRequest,
  ClassifyStreamResponse,
} from '../../generated/verdict/v1/classifier_service.js';
import type { Keyspace } from '../cache/types.js';
import type { InputTrace, ServiceClass } from '../claim.js';
import type { InputClaim } from '../classify/types.js';
import type { Call } from './route.js';
import type { WindowItem } from './stream-window.js';

/** Longest id that is accepted, and echoed. */
export const maxIdChars = 128;

/**
 * One request of a stream from its arrival to its response: at once the claim that the classifier sees and the
 * response that goes out, so that an answer from memory costs one object.
 */
export class StreamInput implements InputClaim, ClassifyStreamResponse, WindowItem {
  readonly id: string;
  readonly index: number;
  /** Undefined until there is an answer. */
  outcome: ClassifyStreamResponse['outcome'] = undefined;
  heldBytes = 0;
  readonly deadlineAt: number;
  readonly whenFull = 'wait';
  readonly serviceClass: ServiceClass;
  readonly keyspace: Keyspace | undefined;
  readonly trace: InputTrace | undefined;
  readonly #call: Pick<Call<never>, 'signal' | 'caller'>;

  constructor(
    call: Pick<Call<never>, 'signal' | 'caller' | 'deadlineAt' | 'trace'>,
    request: Pick<ClassifyStreamRequest, 'id'>,
    index: number,
    serviceClass: ServiceClass,
    keyspace: Keyspace | undefined,
    limitMs: number,
  ) {
    this.#call = call;
    this.id = request.id.length > maxIdChars ? '' : request.id;
    this.index = index;
    this.serviceClass = serviceClass;
    this.keyspace = keyspace;
    this.trace = call.trace?.input();
    this.deadlineAt = Math.min(call.deadlineAt, performance.now() + limitMs);
  }

  get isAnswered(): boolean {
    return this.outcome !== undefined;
  }

  get flow(): object {
    return this.#call.caller;
  }

  get signal(): AbortSignal {
    return this.#call.signal;
  }
}
