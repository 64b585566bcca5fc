import { Worker } from 'node:worker_threads';
import { StallWatch } from './stall-watch.js';
import type { ThreadReply, ThreadRequest } from './thread-messages.js';

/** Delay before replacing a thread that failed again without an answer; it doubles, up to the last value. */
const RESTART_DELAY_MS = 100;
const MAX_RESTART_DELAY_MS = 5000;
/** A thread in a system call cannot be ended: after this time it is abandoned, with its memory. */
const END_GRACE_MS = 5000;
/** Most threads that may be abandoned at once. */
const MOST_LEFT_BEHIND = 2;

/** Starts the worker thread; tests use their own, to end it by hand. */
export type StartThread = () => Worker;

export const startTokenizerThread: StartThread = () =>
  new Worker(new URL('./tokenizer-worker.js', import.meta.url));

/** A message on its way, with callbacks for its answer and its loss. Exactly one of them is called. */
export interface Errand {
  readonly request: ThreadRequest;
  /** Without an answer for this long, the thread is considered stuck, and replaced. */
  readonly limitMs: number;
  onReply(reply: ThreadReply): void;
  /** The thread ended while it worked on this message. */
  onLost(reason: string): void;
  /** The thread ended before it reached this message: as if it had not been sent. */
  onUnbegun(): void;
}

export interface TokenizerThreadOptions {
  readonly start: StartThread;
  /** The shortest limit of an errand. */
  readonly stallTimeoutMs: number;
  /** How long a stuck thread may take to end before it gets a successor anyway. Default: 5000. */
  readonly endGraceMs?: number;
  /** An event that may have made room: any answer, a loss, a new start. */
  onChange(): void;
  /** The thread has answered a message of any kind. */
  onAnswer(): void;
  /** The thread ended by itself or was stuck. */
  onLost(reason: string): void;
}

/**
 * One tokenizer thread, replaced whenever it ends. A thread takes texts only after it has read all of its tokenizers,
 * so that no text waits in a thread that cannot serve while others can. The message that the thread was working on may
 * be what ended it; the message behind it is returned.
 */
export class TokenizerThread {
  readonly #options: TokenizerThreadOptions;
  readonly #stall: StallWatch;
  /** Messages that the thread has not answered, oldest first. */
  #underWay: Errand[] = [];
  /** Loads not sent yet, because there is no thread. */
  #unsent: Errand[] = [];
  /** Successful loads: a successor starts with them. */
  readonly #loaded: Errand[] = [];
  #worker: Worker | undefined;
  /** Stuck threads that have not ended yet. */
  readonly #ending = new Set<Worker>();
  /** Those of them that already have a successor. */
  readonly #leftBehind = new Set<Worker>();
  #restartTimer: NodeJS.Timeout | undefined;
  #lossesInARow = 0;
  #isLost = false;
  #hasAnswered = false;
  #closed = false;

  /** @throws Error if no thread can be started */
  constructor(options: TokenizerThreadOptions) {
    this.#options = options;
    this.#stall = new StallWatch(options.stallTimeoutMs, (limitMs) => {
      const worker = this.#worker;
      this.#event(() => this.#lose(`was stuck for ${Math.round(limitMs)} ms`));
      if (worker !== undefined) this.#end(worker);
    });
    this.#run(options.start());
  }

  /** Number of unanswered messages of texts; undefined while the thread cannot take any. */
  get textsUnderWay(): number | undefined {
    if (this.#worker === undefined || this.#underWay.some(({ request }) => request.kind === 'load'))
      return undefined;
    return this.#underWay.length;
  }

  /** The thread has ended, and no successor has answered anything yet. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** Whether it has answered anything since the last call. */
  takeProof(): boolean {
    const proven = this.#hasAnswered;
    this.#hasAnswered = false;
    return proven;
  }

  /** Sends a message: texts only while `textsUnderWay` is a number, loads at any time. */
  send(errand: Errand): void {
    if (this.#worker === undefined) this.#unsent.push(errand);
    else this.#post(this.#worker, errand);
  }

  /** Forgets a tokenizer, after the messages under way: neither this thread nor a successor holds it any more. */
  unload(tokenizer: number): void {
    for (const loads of [this.#loaded, this.#unsent]) {
      const index = loads.findIndex(
        ({ request }) => request.kind === 'load' && request.tokenizer === tokenizer,
      );
      if (index >= 0) loads.splice(index, 1);
    }
    if (this.#worker === undefined) return;
    this.#post(this.#worker, {
      request: { kind: 'unload', tokenizer },
      limitMs: this.#options.stallTimeoutMs,
      // A thread that ends without an answer has forgotten everything, and its successor never knew of it.
      onReply: () => {},
      onLost: () => {},
      onUnbegun: () => {},
    });
  }

  /** Ends the thread. Messages under way are lost. */
  async close(): Promise<void> {
    const worker = this.#worker;
    this.#closed = true;
    this.#worker = undefined;
    clearTimeout(this.#restartTimer);
    this.#stall.stop();
    for (const errand of [...this.#underWay.splice(0), ...this.#unsent.splice(0)]) errand.onLost('closed');
    await Promise.all(
      [...this.#ending, ...(worker === undefined ? [] : [worker])].map((one) => one.terminate()),
    );
  }

  /** Every event of a thread passes here, so that the pool learns of anything that may have made room. */
  #event(change: () => void): void {
    if (this.#closed) return;
    change();
    this.#options.onChange();
  }

  #post(worker: Worker, errand: Errand): void {
    worker.postMessage(errand.request);
    if (this.#underWay.push(errand) === 1) this.#stall.begin(errand.limitMs);
  }

  #run(worker: Worker): void {
    let failure: string | undefined;
    const ifCurrent = (change: () => void) => {
      if (worker === this.#worker) this.#event(change);
    };
    worker.on('message', (reply: ThreadReply) => ifCurrent(() => this.#answer(reply)));
    worker.on('error', (error: unknown) => {
      failure = error instanceof Error ? error.message : String(error);
    });
    worker.on('exit', (code) => {
      ifCurrent(() => this.#lose(failure ?? `exited with code ${code}`));
      // A stuck thread gets its successor when it has ended: two would take twice the memory.
      this.#ending.delete(worker);
      if (this.#leftBehind.delete(worker)) return;
      this.#event(() => this.#startAgain());
    });
    this.#worker = worker;
    for (const errand of [
      ...this.#loaded.map((load) => this.#reload(worker, load)),
      ...this.#unsent.splice(0),
    ]) {
      this.#post(worker, errand);
    }
  }

  #end(worker: Worker): void {
    this.#ending.add(worker);
    void worker.terminate();
    const timer = setTimeout(() => {
      if (this.#leftBehind.size >= MOST_LEFT_BEHIND) return;
      this.#leftBehind.add(worker);
      this.#event(() => this.#startAgain());
    }, this.#options.endGraceMs ?? END_GRACE_MS).unref();
    worker.once('exit', () => clearTimeout(timer));
  }

  /** A load for a successor: of the same bytes as before. Where it fails all the same, another successor tries. */
  #reload(worker: Worker, load: Errand): Errand {
    return {
      ...load,
      onReply: (reply) => {
        if (reply.kind !== 'failed') return;
        this.#lose(`could not read a tokenizer again: ${reply.reason}`, undefined);
        this.#end(worker);
      },
      onLost: () => {},
      onUnbegun: () => {},
    };
  }

  #answer(reply: ThreadReply): void {
    const errand = this.#underWay.shift();
    if (errand === undefined) return;
    this.#isLost = false;
    this.#hasAnswered = true;
    if (reply.kind === 'encoded') this.#lossesInARow = 0;
    if (reply.kind === 'loaded' && !this.#loaded.some(({ request }) => request === errand.request)) {
      this.#loaded.push(errand);
    }
    const next = this.#underWay[0];
    if (next === undefined) this.#stall.end();
    else this.#stall.begin(next.limitMs);
    this.#options.onAnswer();
    errand.onReply(reply);
  }

  /** @param begun the message that the thread was working on */
  #lose(reason: string, begun = this.#underWay.shift()): void {
    this.#worker = undefined;
    this.#isLost = true;
    this.#stall.stop();
    this.#lossesInARow++;
    const rest = this.#underWay.splice(0);
    this.#options.onLost(reason);
    begun?.onLost(reason);
    for (const errand of rest) {
      const { request: wanted } = errand;
      if (wanted.kind !== 'load') errand.onUnbegun();
      // A successor's loads are created again from the successful ones. One that was to be forgotten again is nobody's any more.
      else if (!this.#loaded.some(({ request }) => request === wanted) && !isForgotten(wanted, rest))
        this.#unsent.push(errand);
    }
  }

  #startAgain(): void {
    const delayMs =
      this.#lossesInARow === 1
        ? 0
        : Math.min(MAX_RESTART_DELAY_MS, RESTART_DELAY_MS * 2 ** (this.#lossesInARow - 2));
    this.#restartTimer = setTimeout(() => {
      this.#event(() => {
        try {
          this.#run(this.#options.start());
        } catch (error) {
          this.#lose(`could not be started: ${error instanceof Error ? error.message : String(error)}`);
          this.#startAgain();
        }
      });
    }, delayMs);
  }
}

function isForgotten({ tokenizer }: { readonly tokenizer: number }, errands: readonly Errand[]): boolean {
  return errands.some(({ request }) => request.kind === 'unload' && request.tokenizer === tokenizer);
}
