import { BenchChild } from '../child.js';
import type { PacedResult, PacedRun, PacedSetup } from './paced-load.js';

/** A generator whose slowest 1 % of the calls left later than this did not keep its rate. */
const BEHIND_MS = 20;

/**
 * Paced unary calls from one or several processes. The rate is divided among them, each with a seed of its own: Poisson
 * arrivals laid over each other are Poisson arrivals again.
 */
export class PacedCallers {
  readonly #processes: readonly BenchChild[];

  private constructor(processes: readonly BenchChild[]) {
    this.#processes = processes;
  }

  static async start(processes: number, setup: PacedSetup): Promise<PacedCallers> {
    const children = Array.from({ length: processes }, () => BenchChild.start('./load/paced-load.js'));
    await Promise.all(children.map((child) => child.ask(setup)));
    return new PacedCallers(children);
  }

  /** Poisson arrivals at `ratePerSecond`, all processes together. */
  async open(
    run: Pick<PacedRun, 'durationMs' | 'rampMs' | 'deadlineMs'>,
    ratePerSecond: number,
    seed: number,
  ): Promise<PacedResult> {
    const share = ratePerSecond / this.#processes.length;
    return merged(
      await Promise.all(
        this.#processes.map((child, index) =>
          child.ask<PacedResult>({ ...run, kind: 'open', ratePerSecond: share, seed: seed * 1000 + index }),
        ),
      ),
    );
  }

  /** Always `inFlight` calls under way; a multiple of the number of processes. */
  async closed(
    run: Pick<PacedRun, 'durationMs' | 'rampMs' | 'deadlineMs'>,
    inFlight: number,
  ): Promise<PacedResult> {
    const share = Math.max(1, Math.round(inFlight / this.#processes.length));
    return merged(
      await Promise.all(
        this.#processes.map((child) => child.ask<PacedResult>({ ...run, kind: 'closed', inFlight: share })),
      ),
    );
  }

  async stop(): Promise<void> {
    await Promise.all(this.#processes.map((child) => child.stop()));
  }
}

/** What to tell of a generator that could not keep its rate; undefined: it did. */
export function fellBehind({ lagP99Ms }: PacedResult): string | undefined {
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
