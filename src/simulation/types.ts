import type { ServiceClass } from '../batching/types.js';

/** One input that reaches the batcher. */
export interface Arrival {
  readonly tokens: number;
  readonly serviceClass: ServiceClass;
  /** What it is a part of, one stream or one batch call: inputs of the same number; undefined: of nothing. */
  readonly flow: number | undefined;
  /** How long its caller waits, in milliseconds; Infinity: for ever. */
  readonly deadlineMs: number;
  /** Whether a full queue refuses it (unary and batch calls) or lets it wait outside (streams). */
  readonly whenFull: 'refuse' | 'wait';
}

/**
 * What became of an arrival: `answered` in time, answered too `late` for its caller, or the reason of the refusal in
 * lower case, such as `queue_full`, `deadline_unreachable` and `deadline_exceeded` (while it was queued).
 */
export type Outcome = string;

/** What a caller sees of its input. */
export interface Answer {
  readonly outcome: Outcome;
  /** What a refusal suggests to wait before the next try; 0: nothing. */
  readonly retryAfterMs: number;
}

/** What sources send their inputs through. */
export interface Port {
  /** Whether inputs are still wanted: false from the end of the simulated time, or after the largest number of inputs. */
  readonly isOpen: boolean;
  /** Milliseconds since the start. */
  now(): number;
  sleep(ms: number): Promise<void>;
  submit(arrival: Arrival): Promise<Answer>;
}

/** Where inputs come from. Resolves when it sends no more. */
export type Source = (port: Port) => Promise<void>;
