/**
 * What a caller is entitled to while there is more work than can be done: the classes share the sessions by weight, so that
 * somebody who waits for one answer does not wait behind everything that is to be done some time.
 */
export type ServiceClass = 'interactive' | 'bulk';

/** A caller whose share among the callers of a class is `weight` times that of any other object. */
export class WeightedFlow {
  constructor(readonly weight: number) {}
}

/** A stage of one input on its way, as its trace names it. */
export type InputStage = 'load' | 'memory' | 'redis' | 'join' | 'overflow' | 'tokenize' | 'queue';

/** What the trace of one input is told. Inputs of calls that are not sampled have none. */
export interface InputTrace {
  /** Of the input's span, as W3C Trace Context writes them: 32 and 16 hexadecimal digits. */
  readonly traceId: string;
  readonly spanId: string;
  /**
   * A stage has ended. Times are performance.now() milliseconds.
   * @param of the input whose work this one waited for
   */
  stage(name: InputStage, startedAt: number, endedAt: number, of?: InputTrace): void;
}

/** What one input may claim of the server. Made once, where the call comes in, and passed on as it is. */
export interface Claim {
  /** The call's one signal: cancelled, deadline passed, or drained by force. */
  readonly signal: AbortSignal;
  /** When the input is no longer wanted; performance.now() milliseconds; Infinity: never. */
  readonly deadlineAt: number;
  readonly serviceClass: ServiceClass;
  /**
   * Who asks: a caller, told from others by identity alone. Those of one class get equal shares of it, but for a
   * {@link WeightedFlow}. Undefined: all without one share together.
   */
  readonly flow: object | undefined;
  /** Whether a full queue refuses the input (unary, batch) or lets it wait in the overflow until there is room (streams). */
  readonly whenFull: 'refuse' | 'wait';
  /** Undefined: the input is not traced. */
  readonly trace?: InputTrace | undefined;
}

/** The claim of some work that several callers may wait for: it may grow while they come. */
export type SharedClaim = Omit<Claim, 'signal'>;
