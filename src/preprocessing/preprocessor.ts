import type { Encoded, Feed } from '../runtime/feeds.js';
import type { Truncation, Work } from '../tokenizer/types.js';

/** Turns inputs of one kind, texts for instance, into the tensors that one model reads. */
export interface Preprocessor<I> {
  /** What it can fill a graph's inputs with. The graph must take the first, and may take any of the others. */
  readonly feeds: readonly Feed[];
  /** The highest cost of an input; a larger input is truncated or refused. */
  readonly maxCost: number;
  /** Identifies everything that decides which tensors an input becomes: files, settings, code. */
  readonly digest: string;
  /** Identifies the input, for cache keys: no two inputs give the same string. */
  keyOf(input: I): string;
  /** The expected cost of the input, learnt from earlier ones; at least 1. */
  estimate(input: I): number;
  /**
   * @param work what the input is prepared for; if that is abandoned before the preparation begins, the input is dropped
   * @throws VerdictError invalid_argument if the input is too large under `reject`, or if nothing of it is left; cancelled if it
   *   was dropped; internal, unavailable
   */
  encode(input: I, truncation: Truncation, work?: Work): Promise<Encoded>;
  /** Some whole input of this cost, or of the nearest possible one. */
  ofCost(cost: number): Promise<Encoded>;
  /**
   * Inputs of every form to try a model with, cheapest first; at least two.
   * @param known inputs whose answers are known
   * @param cost truncates those that are dearer
   */
  probes(known: readonly I[], cost?: number): Promise<Encoded[]>;
  /** Gives its memory back. Nothing may be encoded any more. May be called again. */
  close(): void;
}
