import { Batcher } from '../batching/batcher.js';
import type { BatcherHooks, BatcherOptions, ServiceClass } from '../batching/types.js';
import { VerdictError } from '../errors.js';
import { BatchLedger, type BatchReport } from './batch-ledger.js';
import { type ClassReport, Ledger } from './ledger.js';
import type { Random } from './random.js';
import { SimulatedRunner, type SimulatedRunnerOptions } from './simulated-runner.js';
import type { Answer, Port, SimulatedInput, Source } from './types.js';
import { VirtualClock } from './virtual-clock.js';

export interface SimulationOptions {
  readonly batching: BatcherOptions;
  /** The simulated sessions. */
  readonly runners: SimulatedRunnerOptions & { readonly count: number };
  /** Arrivals stop after this time; earlier ones are still answered. */
  readonly durationMs: number;
  /** Arrivals stop after this many; Infinity: no limit. */
  readonly maxArrivals: number;
  /** Arrivals before this time are not reported. */
  readonly warmUpMs: number;
  /** For the noise of the run times. */
  readonly random: Random;
}

/** The results of a simulation. */
export interface SimulationReport {
  /** From the end of the warm-up to the last answer. */
  readonly seconds: number;
  readonly all: ClassReport;
  readonly classes: Readonly<Record<ServiceClass, ClassReport>>;
  readonly batches: BatchReport;
  /** Share of that time that the sessions spent in runs. */
  readonly busyShare: number;
}

/** The state between two points in time, to check invariants. */
export interface Moment {
  readonly nowMs: number;
  readonly queuedItems: number;
  readonly idleRunners: number;
}

export interface SimulationHooks extends Pick<BatcherHooks, 'onBatch'> {
  onMoment?(moment: Moment): void;
  /** An input has ended, `latencyMs` after it arrived. */
  onEnd?(input: SimulatedInput, answer: Answer, latencyMs: number): void;
}

/** Runs the service's own batcher on a virtual clock, with sessions that take the time that a curve predicts. */
export class Simulation {
  readonly #options: SimulationOptions;
  readonly #hooks: SimulationHooks;
  readonly #clock = new VirtualClock();
  readonly #batcher: Batcher<SimulatedInput, undefined>;
  readonly #runners: readonly SimulatedRunner[];
  readonly #all: Ledger;
  readonly #classes: Readonly<Record<ServiceClass, Ledger>>;
  readonly #batches = new BatchLedger();
  /** The batcher tells flows apart by identity. */
  readonly #flows = new Map<number, object>();
  #arrivals = 0;
  #open = 0;
  #endMs = 0;

  constructor(options: SimulationOptions, hooks: SimulationHooks = {}) {
    const { batching, runners, warmUpMs, random } = options;
    this.#options = options;
    this.#hooks = hooks;
    this.#all = new Ledger(warmUpMs);
    this.#classes = { interactive: new Ledger(warmUpMs), bulk: new Ledger(warmUpMs) };
    this.#batcher = new Batcher<SimulatedInput, undefined>(
      batching,
      {
        onBatch: (batch) => {
          if (this.#clock.now() >= warmUpMs) this.#batches.add(batch);
          hooks.onBatch?.(batch);
        },
      },
      this.#clock,
    );
    this.#runners = Array.from(
      { length: runners.count },
      () => new SimulatedRunner(this.#clock, runners, random),
    );
    for (const runner of this.#runners) this.#batcher.attach(runner);
  }

  /**
   * Lets the sources send, and waits until all their inputs have ended. Call it once.
   * @throws the signal's reason; Error if inputs are left that nothing will ever answer: a bug in the batcher
   */
  async run(sources: readonly Source[], signal: AbortSignal): Promise<SimulationReport> {
    let busyAtWarmUp = 0;
    const { warmUpMs } = this.#options;
    if (warmUpMs > 0) this.#clock.startTimer(() => (busyAtWarmUp = this.#batcher.busyMs), warmUpMs);
    let isSending = true;
    const sending = Promise.all(sources.map((source) => source(this.#port()))).finally(() => {
      isSending = false;
    });
    // Errors are rethrown below, after the loop.
    sending.catch(() => undefined);
    await this.#clock.settle();
    this.#look();
    while (isSending || this.#open > 0) {
      signal.throwIfAborted();
      if (!(await this.#clock.step())) throw new Error(`${this.#open} inputs will never be answered`);
      this.#look();
    }
    await sending;
    await this.#batcher.close(AbortSignal.abort());
    return this.#report(busyAtWarmUp);
  }

  #port(): Port {
    const isOpen = () =>
      this.#clock.now() < this.#options.durationMs && this.#arrivals < this.#options.maxArrivals;
    return {
      get isOpen() {
        return isOpen();
      },
      now: () => this.#clock.now(),
      sleep: (ms) => new Promise((resolve) => void this.#clock.startTimer(resolve, ms)),
      submit: (input) => this.#submit(input),
    };
  }

  async #submit(input: SimulatedInput): Promise<Answer> {
    const arrivedAt = this.#clock.now();
    const ledgers = [this.#all, this.#classes[input.serviceClass]];
    this.#arrivals++;
    this.#open++;
    for (const ledger of ledgers) ledger.arrived(arrivedAt);
    let answer: Answer;
    try {
      const { queueMs } = await this.#batcher.submit(input, input.tokens, {
        deadlineAt: arrivedAt + input.deadlineMs,
        whenFull: input.whenFull,
        serviceClass: input.serviceClass,
        flow: this.#flow(input.flow),
      }).result;
      const now = this.#clock.now();
      const outcome = now > arrivedAt + input.deadlineMs ? 'late' : 'answered';
      for (const ledger of ledgers) ledger.answered(arrivedAt, now, queueMs, outcome);
      answer = { outcome, retryAfterMs: 0 };
    } catch (error) {
      if (!(error instanceof VerdictError)) throw error;
      answer = { outcome: error.reason.toLowerCase(), retryAfterMs: error.retryAfterMs ?? 0 };
      for (const ledger of ledgers) ledger.refused(arrivedAt, answer.outcome);
    }
    this.#open--;
    this.#endMs = this.#clock.now();
    this.#hooks.onEnd?.(input, answer, this.#endMs - arrivedAt);
    return answer;
  }

  #flow(number: number | undefined): object | undefined {
    if (number === undefined) return undefined;
    let flow = this.#flows.get(number);
    if (flow === undefined) {
      flow = {};
      this.#flows.set(number, flow);
    }
    return flow;
  }

  #look(): void {
    if (this.#hooks.onMoment === undefined) return;
    this.#hooks.onMoment({
      nowMs: this.#clock.now(),
      queuedItems: this.#batcher.queuedItems,
      idleRunners: this.#runners.filter((runner) => !runner.isBusy).length,
    });
  }

  #report(busyAtWarmUp: number): SimulationReport {
    const { warmUpMs } = this.#options;
    const measuredMs = Math.max(0, this.#endMs - warmUpMs);
    const busyMs = this.#batcher.busyMs - busyAtWarmUp;
    const seconds = measuredMs / 1_000;
    return {
      seconds,
      all: this.#all.report(seconds),
      classes: {
        interactive: this.#classes.interactive.report(seconds),
        bulk: this.#classes.bulk.report(seconds),
      },
      batches: this.#batches.report(),
      busyShare: measuredMs === 0 ? 0 : busyMs / measuredMs / this.#runners.length,
    };
  }
}
