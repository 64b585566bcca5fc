import type { BenchChild } from '../child.js';
import type { ProcessSet } from '../process-set.js';
import type { CallCounts } from './call-record.js';

/** Whom to call, with what. */
export interface PacedSetup {
  readonly address: string;
  readonly model: string;
  readonly texts: readonly string[];
  readonly connections: number;
  /** Metadata of each call. */
  readonly headers: Readonly<Record<string, string>>;
  readonly bypassCache: boolean;
}

/** Calls that are intended for, or answered in, the first `rampMs` are made and not counted. */
export interface PacedSpan {
  readonly durationMs: number;
  readonly rampMs: number;
  /** From the intended send time; Infinity: none. */
  readonly deadlineMs: number;
}

/** What a generator process is asked for. */
export type PacedRun = PacedSpan &
  (
    | { readonly kind: 'open'; readonly ratePerSecond: number; readonly seed: number }
    | { readonly kind: 'closed'; readonly inFlight: number }
  );

export interface PacedResult extends CallCounts {
  /** Calls counted. */
  readonly calls: number;
  /** How late the slowest 1 % of the calls left; 0 for a closed loop. */
  readonly lagP99Ms: number;
}

/** A generator whose slowest 1 % of the calls left later than this did not keep its rate. */
const BEHIND_MS = 20;

/**
 * Unary calls from one or several processes, in an open or in a closed loop. A rate is divided among the processes, each
 * with a seed of its own: Poisson arrivals laid over each other are Poisson arrivals again.
 */
export class PacedCalls {
  readonly #children: readonly BenchChild[];

  private constructor(children: readonly BenchChild[]) {
    this.#children = children;
  }

  static async start(processes: ProcessSet, count: number, setup: PacedSetup): Promise<PacedCalls> {
    const children = Array.from({ length: count }, () => processes.child('./load/paced-calls-process.js'));
    await Promise.all(children.map((child) => child.ask(setup)));
    return new PacedCalls(children);
  }

  /** Poisson arrivals at `ratePerSecond`, all processes together. */
  open(span: PacedSpan, ratePerSecond: number, seed: number): Promise<PacedResult> {
    const share = ratePerSecond / this.#children.length;
    return this.#ask((index) => ({ ...span, kind: 'open', ratePerSecond: share, seed: seed * 1000 + index }));
  }

  /** Always `inFlight` calls under way, rounded to a multiple of the number of processes. */
  closed(span: PacedSpan, inFlight: number): Promise<PacedResult> {
    const share = Math.max(1, Math.round(inFlight / this.#children.length));
    return this.#ask(() => ({ ...span, kind: 'closed', inFlight: share }));
  }

  async #ask(runOf: (index: number) => PacedRun): Promise<PacedResult> {
    return merged(
      await Promise.all(this.#children.map((child, index) => child.ask<PacedResult>(runOf(index)))),
    );
  }
}

/** Calls answered OK and in time, per second of the counted span. */
export function goodPerSecond(result: PacedResult, { durationMs, rampMs }: PacedSpan): number {
  return (1000 * result.okMs.length) / (durationMs - rampMs);
}

/** What to tell of a generator that could not keep its rate; undefined: it did. */
export function fellBehind({ lagP99Ms }: Pick<PacedResult, 'lagP99Ms'>): string | undefined {
  if (lagP99Ms <= BEHIND_MS) return undefined;
  return `the generator fell behind: the slowest 1 % of its calls left ${lagP99Ms.toFixed(0)} ms late`;
}

function merged(results: readonly PacedResult[]): PacedResult {
  const sum = (of: (result: PacedResult) => number): number =>
    results.reduce((total, result) => total + of(result), 0);
  return {
    okMs: results.flatMap(({ okMs }) => okMs),
    refusedMs: results.flatMap(({ refusedMs }) => refusedMs),
    late: sum(({ late }) => late),
    expired: sum(({ expired }) => expired),
    withoutRetryInfo: sum(({ withoutRetryInfo }) => withoutRetryInfo),
    failed: sum(({ failed }) => failed),
    calls: sum(({ calls }) => calls),
    lagP99Ms: Math.max(...results.map(({ lagP99Ms }) => lagP99Ms)),
  };
}
