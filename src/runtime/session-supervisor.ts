import { setMaxListeners } from 'node:events';
import { type BackoffOptions, backoffMs } from './backoff.js';
import type { RuntimeHooks, Session } from './types.js';

/** The supervisor's clock; tests advance it by hand. */
export interface SupervisorClock {
  now(): number;
  /** Calls back once after `delayMs`. Returns a function that cancels it. */
  after(delayMs: number, callback: () => void): () => void;
}

const REAL_CLOCK: SupervisorClock = {
  now: () => performance.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

export interface SupervisorOptions {
  /** Sessions to keep alive. */
  readonly instances: number;
  readonly backoff: BackoffOptions;
  /** Opens one session; also called for every replacement. */
  open(signal: AbortSignal): Promise<Session>;
  /** Checks a session before it is announced; rejects if it is not fit to serve. */
  verify(session: Session): Promise<void>;
  /** A session is open and verified. */
  onReady(session: Session): void;
  /** An announced session is lost. Not called for sessions that `close` ended. */
  onLost(session: Session, reason: string): void;
  readonly hooks?: RuntimeHooks;
  readonly clock?: SupervisorClock;
  /** 0 to 1. */
  readonly random?: () => number;
}

/**
 * Keeps a number of sessions alive: opens and verifies each, and replaces lost ones, after a wait that grows with each
 * loss up to a limit. It never gives up.
 */
export class SessionSupervisor {
  readonly #options: SupervisorOptions;
  readonly #clock: SupervisorClock;
  readonly #random: () => number;
  readonly #closing = new AbortController();
  readonly #sessions = new Set<Session>();
  readonly #waits = new Set<() => void>();
  readonly #openings = new Set<Promise<unknown>>();
  #readyCount = 0;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    // Every opening session listens to it.
    setMaxListeners(0, this.#closing.signal);
    this.#clock = options.clock ?? REAL_CLOCK;
    this.#random = options.random ?? Math.random;
  }

  /** Number of sessions that are open and verified now. */
  get readyCount(): number {
    return this.#readyCount;
  }

  /**
   * Opens and verifies all sessions. From then on it replaces lost sessions.
   * @throws the error of the first session that failed; all others are closed by then, and nothing is retried
   */
  async start(): Promise<void> {
    const first = Array.from({ length: this.#options.instances }, () => this.#bringUp(0));
    const failed = (await Promise.allSettled(first)).find((outcome) => outcome.status === 'rejected');
    if (failed === undefined) return;
    await this.close();
    throw failed.reason;
  }

  /** Stops replacing, waits for the batches under way until the signal aborts, and ends all processes. */
  async close(signal?: AbortSignal): Promise<void> {
    this.#closing.abort(new Error('the model is being closed'));
    for (const callOff of this.#waits) callOff();
    this.#waits.clear();
    await Promise.allSettled([...this.#sessions].map((session) => session.close(signal)));
    await Promise.allSettled(this.#openings);
  }

  #bringUp(attempt: number): Promise<void> {
    const opening = this.#open(attempt).finally(() => this.#openings.delete(opening));
    this.#openings.add(opening);
    return opening;
  }

  async #open(attempt: number): Promise<void> {
    const session = await this.#options.open(this.#closing.signal);
    this.#sessions.add(session);
    try {
      // `close` may have started after the session opened and before it was in the list of sessions to close.
      this.#closing.signal.throwIfAborted();
      await this.#options.verify(session);
      this.#closing.signal.throwIfAborted();
    } catch (error) {
      this.#sessions.delete(session);
      await session.close();
      throw error;
    }
    const readyAt = this.#clock.now();
    this.#readyCount++;
    void session.lost.then((reason) => this.#onLost(session, reason, attempt, readyAt));
    this.#options.hooks?.onInstanceReady?.(session.info);
    this.#options.onReady(session);
  }

  #onLost(session: Session, reason: string, attempt: number, readyAt: number): void {
    this.#sessions.delete(session);
    this.#readyCount--;
    if (this.#closing.signal.aborted) return;
    this.#options.hooks?.onInstanceLost?.({ pid: session.info.pid, reason });
    this.#options.onLost(session, reason);
    const wasSound = this.#clock.now() - readyAt >= this.#options.backoff.stableMs;
    this.#schedule(wasSound ? 1 : attempt + 1);
  }

  #schedule(attempt: number): void {
    const delayMs = backoffMs(this.#options.backoff, attempt, this.#random);
    const callOff = this.#clock.after(delayMs, () => {
      this.#waits.delete(callOff);
      this.#bringUp(attempt).catch((error: unknown) => this.#onFailedReplacement(error, attempt));
    });
    this.#waits.add(callOff);
    this.#options.hooks?.onRestartScheduled?.({ attempt, delayMs });
  }

  #onFailedReplacement(error: unknown, attempt: number): void {
    if (this.#closing.signal.aborted) return;
    const reason = error instanceof Error ? error.message : String(error);
    this.#options.hooks?.onInstanceLost?.({ pid: undefined, reason });
    this.#schedule(attempt + 1);
  }
}
