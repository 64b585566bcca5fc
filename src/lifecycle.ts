import { setMaxListeners } from 'node:events';
import { VerdictError } from './errors.js';

/** One part that is started and stopped. */
export interface LifecycleStep {
  /** Completes "could not start the ...": `gRPC server`. */
  readonly name: string;
  /** Aborted when a stop is requested meanwhile. */
  readonly start?: (signal: AbortSignal) => unknown;
  /** Ends gracefully, or at once when the signal aborts. */
  readonly stop?: (signal: AbortSignal) => unknown;
}

/** The outcome of a stop. */
export interface StopReport {
  /** Every step ended by itself, in time and without an error; none had to be told to end at once. */
  readonly clean: boolean;
  /** Steps that were still busy when the time was up. */
  readonly unfinished: readonly string[];
  readonly failures: readonly { readonly step: string; readonly error: unknown }[];
}

/** Node's timers, or those of a test. */
export interface LifecycleTimers {
  setTimeout(callback: () => void, delayMs: number): unknown;
  clearTimeout(timer: unknown): void;
}

export interface LifecycleOptions {
  /** In start order; stopped in reverse order. */
  readonly steps: readonly LifecycleStep[];
  /** Time after which a call of `stop` settles, whatever the steps do. */
  readonly stopTimeoutMs: number;
  readonly timers?: LifecycleTimers;
}

/** A step that could not be started. What had started was stopped before this was thrown. */
export class StartError extends Error {
  override readonly name = 'StartError';

  constructor(
    readonly step: string,
    cause: unknown,
  ) {
    super(`Could not start the ${step}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}

/** The last part of the time to stop, in which steps are told to end at once: a quarter, at most 2 s. */
const maxForcedMs = 2_000;

/** Time for a step that was starting when the stop came: a quarter of the time to stop, at most 5 s. */
const maxStartGraceMs = 5_000;

const nodeTimers: LifecycleTimers = {
  setTimeout: (callback, delayMs) => setTimeout(callback, delayMs),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
};

/** Starts named steps in order and stops them in reverse order, within a time limit. */
export class Lifecycle {
  readonly #steps: readonly LifecycleStep[];
  readonly #stopTimeoutMs: number;
  readonly #timers: LifecycleTimers;
  /** Says "stop starting". */
  readonly #starting = new AbortController();
  /** Says "do not be graceful any more". */
  readonly #forced = new AbortController();
  readonly #started: LifecycleStep[] = [];
  /** The step that is starting. */
  #current: LifecycleStep | undefined;
  #start: Promise<void> | undefined;
  #stop: Promise<StopReport> | undefined;
  #endNow: () => void = () => {};

  constructor(options: LifecycleOptions) {
    this.#steps = options.steps;
    // Every model, session and call under way may listen.
    setMaxListeners(0, this.#starting.signal, this.#forced.signal);
    this.#stopTimeoutMs = options.stopTimeoutMs;
    this.#timers = options.timers ?? nodeTimers;
  }

  /**
   * Starts the steps one after the other.
   * @throws StartError after stopping what had started; VerdictError cancelled if a stop came first
   */
  start(): Promise<void> {
    this.#start ??= this.#startAll();
    return this.#start;
  }

  /**
   * Stops what has started, in reverse order. Settles in time and never rejects; a second call gets the same report.
   */
  stop(): Promise<StopReport> {
    this.#stop ??= this.#stopInTime();
    return this.#stop;
  }

  /** Makes the stop under way, or a new one, end steps at once instead of gracefully. */
  force(): Promise<StopReport> {
    this.#forced.abort();
    const stop = this.stop();
    this.#endNow();
    return stop;
  }

  async #startAll(): Promise<void> {
    const { signal } = this.#starting;
    for (const step of this.#steps) {
      if (signal.aborted) throw stopped();
      this.#current = step;
      try {
        await step.start?.(signal);
      } catch (error) {
        this.#current = undefined;
        if (signal.aborted) throw stopped();
        await this.#stopStarted();
        throw new StartError(step.name, error);
      }
      this.#current = undefined;
      this.#started.push(step);
    }
    if (signal.aborted) throw stopped();
  }

  /** After a failure, started steps are stopped under the same limits; a stop requested meanwhile joins in. */
  #stopStarted(): Promise<StopReport> {
    this.#stop ??= this.#stopInTime(Promise.resolve());
    return this.#stop;
  }

  async #stopInTime(startEnded: Promise<unknown> = this.#startEnded()): Promise<StopReport> {
    this.#starting.abort();
    const failures: { step: string; error: unknown }[] = [];
    const forcedMs = Math.min(maxForcedMs, this.#stopTimeoutMs / 4);
    const forceTimer = this.#timers.setTimeout(() => this.#forced.abort(), this.#stopTimeoutMs - forcedMs);
    let endTimer: unknown;
    const timeUp = new Promise<void>((resolve) => {
      const endIn = (delayMs: number) => {
        this.#timers.clearTimeout(endTimer);
        endTimer = this.#timers.setTimeout(resolve, delayMs);
      };
      endIn(this.#stopTimeoutMs);
      this.#endNow = () => {
        this.#endNow = () => {};
        endIn(forcedMs);
      };
    });
    await Promise.race([this.#stopAll(startEnded, failures), timeUp]);
    this.#endNow = () => {};
    this.#timers.clearTimeout(forceTimer);
    this.#timers.clearTimeout(endTimer);
    const current = this.#current === undefined ? [] : [this.#current];
    const unfinished = [...this.#started, ...current].map(({ name }) => name).toReversed();
    const clean = failures.length === 0 && unfinished.length === 0 && !this.#forced.signal.aborted;
    return { clean, unfinished, failures };
  }

  /** A start that ignores its signal may be waiting for an earlier part: end that part, then the start. */
  async #stopAll(startEnded: Promise<unknown>, failures: { step: string; error: unknown }[]): Promise<void> {
    await this.#soon(startEnded);
    await this.#stopEach(failures);
    await startEnded;
    await this.#stopEach(failures);
  }

  /** Waits until the promise has settled, the time is up, or the stop is no longer graceful. */
  async #soon(ended: Promise<unknown>): Promise<void> {
    let timer: unknown;
    const { signal } = this.#forced;
    await new Promise<void>((resolve) => {
      const done = () => resolve();
      timer = this.#timers.setTimeout(done, Math.min(maxStartGraceMs, this.#stopTimeoutMs / 4));
      if (signal.aborted) done();
      signal.addEventListener('abort', done, { once: true });
      void ended.then(done, done);
    });
    this.#timers.clearTimeout(timer);
  }

  async #stopEach(failures: { step: string; error: unknown }[]): Promise<void> {
    for (let step = this.#started.at(-1); step !== undefined; step = this.#started.at(-1)) {
      try {
        await step.stop?.(this.#forced.signal);
      } catch (error) {
        failures.push({ step: step.name, error });
      }
      // Not the last one: a step that was still starting may have been added after it meanwhile.
      this.#started.splice(this.#started.lastIndexOf(step), 1);
    }
  }

  /** Settles when no step is starting any more. */
  async #startEnded(): Promise<void> {
    try {
      await this.#start;
    } catch {
      // The caller of `start` has been told.
    }
  }
}

function stopped(): VerdictError {
  return new VerdictError('cancelled', 'Stopped while starting.', { reason: 'STOPPED' });
}
