import type { ServiceClass } from '../batching/types.js';

/** One input that reaches the batcher. */
export interface SimulatedInput {
  readonly tokens: number;
  readonly serviceClass: ServiceClass;
  /** The flow that it belongs to: inputs with the same number; undefined: none. */
  readonly flow: number | undefined;
  /** How long its caller waits, in milliseconds; Infinity: no limit. */
  readonly deadlineMs: number;
  /** Whether a full queue refuses it (unary and batch calls) or it waits in the overflow (streams). */
  readonly whenFull: 'refuse' | 'wait';
}

/**
 * The outcome of an input: `answered` in time, answered too `late` for its caller, or the reason of the refusal in
 * lower case, such as `queue_full`, `deadline_unreachable` and `deadline_exceeded` (while it was queued).
 */
export type Outcome = string;

/** What a caller sees of its input. */
export interface Answer {
  readonly outcome: Outcome;
  /** The delay that a refusal suggests before the next try; 0: none. */
  readonly retryAfterMs: number;
}

/** Sources send their inputs through this. */
export interface Port {
  /** Whether more inputs are wanted: false after the simulated time or the largest number of inputs. */
  readonly isOpen: boolean;
  /** Milliseconds since the start. */
  now(): number;
  sleep(ms: number): Promise<void>;
  submit(input: SimulatedInput): Promise<Answer>;
}

/** A source of inputs. Resolves when it sends no more. */
export type Source = (port: Port) => Promise<void>;
