import type { Encoded } from '../runtime/feeds.js';
import { isStopped } from '../runtime/is-stopped.js';
import type { RunResult, Session } from '../runtime/types.js';

/** The timers of Node, or those of a test. */
export interface SelfTestTimers {
  /** Calls back again and again. Returns the way to stop. */
  every(intervalMs: number, callback: () => void): () => void;
}

export interface SelfTestOptions {
  /** How often it is looked whether a session has answered anything meanwhile; 0: never. */
  readonly intervalMs: number;
  /** A session that takes longer over the test is killed, and replaced. */
  readonly limitMs: number;
  readonly timers?: SelfTestTimers;
  /** Whether a process is stopped. Default: as the system says. */
  readonly isStopped?: (pid: number) => boolean;
}

const nodeTimers: SelfTestTimers = {
  every: (intervalMs, callback) => {
    const timer = setInterval(callback, intervalMs).unref();
    return () => clearInterval(timer);
  },
};

/**
 * Has sessions that nobody has used lately answer a short text, so that one that hangs while it is idle is found before a
 * caller meets it. A run for callers is proof as good; while one is under way, its own limit watches. A batch that comes
 * during a test waits for its end, a few milliseconds; the test of a session is never begun while it has work.
 *
 * A process that is stopped at two looks, and has answered nothing, is killed, whoever waits for it: it may never go on.
 */
export class SelfTest {
  readonly #limitMs: number;
  readonly #isStopped: (pid: number) => boolean;
  readonly #input: Encoded;
  readonly #watched = new Set<WatchedSession>();
  readonly #stop: () => void;

  /** @param input what the sessions are tested with */
  constructor(input: Encoded, options: SelfTestOptions) {
    const { intervalMs, limitMs, timers = nodeTimers } = options;
    this.#input = input;
    this.#isStopped = options.isStopped ?? isStopped;
    this.#limitMs = limitMs;
    this.#stop = intervalMs === 0 ? () => {} : timers.every(intervalMs, () => this.#look());
  }

  /** The session as callers are to use it from now on: through what is returned, and no other way. */
  watch(session: Session): Session {
    const watched = new WatchedSession(session);
    this.#watched.add(watched);
    void session.lost.then(() => this.#watched.delete(watched));
    return watched;
  }

  /** Tests nothing any more. */
  close(): void {
    this.#stop();
    this.#watched.clear();
  }

  #look(): void {
    for (const session of this.#watched) {
      if (session.takeProof()) continue;
      session.killIfStopped(this.#isStopped);
      session.test(this.#input, this.#limitMs);
    }
  }
}

class WatchedSession implements Session {
  readonly #session: Session;
  #runs = 0;
  #isProven = true;
  #wasStopped = false;
  /** Never rejects. */
  #test: Promise<unknown> | undefined;

  constructor(session: Session) {
    this.#session = session;
  }

  get info(): Session['info'] {
    return this.#session.info;
  }

  get lost(): Promise<string> {
    return this.#session.lost;
  }

  run(batch: readonly Encoded[], limitMs?: number): Promise<RunResult> {
    return this.#test === undefined
      ? this.#run(batch, limitMs)
      : this.#test.then(() => this.#run(batch, limitMs));
  }

  close(signal?: AbortSignal): Promise<void> {
    return this.#session.close(signal);
  }

  kill(reason: string): void {
    this.#session.kill(reason);
  }

  /** Whether it has answered anything since this was last asked. */
  takeProof(): boolean {
    const isProven = this.#isProven;
    this.#isProven = false;
    if (isProven) this.#wasStopped = false;
    return isProven;
  }

  killIfStopped(isProcessStopped: (pid: number) => boolean): void {
    const isStoppedNow = isProcessStopped(this.info.pid);
    if (isStoppedNow && this.#wasStopped) this.kill('was stopped (SIGSTOP) and was killed');
    this.#wasStopped = isStoppedNow;
  }

  test(input: Encoded, limitMs: number): void {
    if (this.#runs > 0 || this.#test !== undefined) return;
    this.#test = this.#run([input], limitMs)
      // What fails is a session that is lost, which its own promise tells, or a model that refuses the text: an answer too.
      .catch(() => {})
      .then(() => {
        this.#test = undefined;
      });
  }

  async #run(batch: readonly Encoded[], limitMs?: number): Promise<RunResult> {
    this.#runs++;
    try {
      return await this.#session.run(batch, limitMs);
    } finally {
      this.#runs--;
      this.#isProven = true;
    }
  }
}
