import { type SpanContext, TraceFlags } from '@opentelemetry/api';
import { Allowance } from '../ratelimit/allowance.js';
import type { TracingHooks } from './types.js';

export interface SamplingOptions {
  /** The share of the calls to trace that nobody has decided about: 0 to 1. */
  readonly ratio: number;
  /** Calls a minute that are traced because their callers ask for it, all callers together; 0: none. */
  readonly askedPerMinute: number;
}

/**
 * Decides which calls are traced. A caller that is part of a trace has decided already, but anybody can set a flag: what callers
 * ask for has a limit, beyond which their calls count like any others.
 */
export class Sampling {
  readonly #ratio: number;
  readonly #asked: Allowance | undefined;
  readonly #hooks: TracingHooks;
  readonly #random: () => number;

  /** @param random evenly from 0 to below 1 */
  constructor({ ratio, askedPerMinute }: SamplingOptions, hooks: TracingHooks = {}, random = Math.random) {
    this.#ratio = ratio;
    this.#asked = askedPerMinute > 0 ? new Allowance(askedPerMinute) : undefined;
    this.#hooks = hooks;
    this.#random = random;
  }

  /** @param now performance.now() milliseconds */
  isSampled(parent: SpanContext | undefined, now: number): boolean {
    if (parent === undefined) return this.#draw();
    if ((parent.traceFlags & TraceFlags.SAMPLED) === 0) return false;
    if (this.#asked?.waitMs(1, now) === 0) {
      this.#asked.spend(1, now);
      return true;
    }
    this.#hooks.onRequestRefused?.();
    return this.#draw();
  }

  /** By chance and not by the trace id: a caller chooses that. */
  #draw(): boolean {
    return this.#random() < this.#ratio;
  }
}
