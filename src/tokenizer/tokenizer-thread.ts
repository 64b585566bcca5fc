import { Worker } from 'node:worker_threads';
import { StallWatch } from './stall-watch.js';
import type { ThreadReply, ThreadRequest } from './thread-messages.js';

/** Before a thread that failed again without answering anything is replaced; doubles, up to the last. */
const RESTART_DELAY_MS = 100;
const MAX_RESTART_DELAY_MS = 5000;
/** A thread in a call to the system cannot be ended: after this it is left behind, with its memory. */
const END_GRACE_MS = 5000;
/** Threads that may be left behind at once. */
const MOST_LEFT_BEHIND = 2;
/** Before a successor tries again to read a tokenizer that it could not read. */
const RELOAD_DELAY_MS = 5000;

/** Starts the thread behind it; tests put their own in, to end it by hand. */
export type StartThread = () => Worker;

export const startTokenizerThread: StartThread = () =>
  new Worker(new URL('./tokenizer-worker.js', import.meta.url));

/** A message on its way, and what is to be done with its answer or with its loss. Exactly one of these is called. */
export interface Errand {
  readonly request: ThreadRequest;
  /** Without an answer for this long, the thread is taken for stuck, and replaced. */
  readonly limitMs: number;
  onReply(reply: ThreadReply): void;
  /** The thread ended while it worked on this very message. */
  onLost(reason: string): void;
  /** The thread ended before it came to this message: it is as if it had not been sent. */
  onUnbegun(): void;
}

export interface TokenizerThreadOptions {
  readonly start: StartThread;
  /** The shortest limit of an errand. */
  readonly stallTimeoutMs: number;
  /** How long a thread that was stuck may take to end before it has a successor all the same. Default: 5000. */
  readonly endGraceMs?: number;
  /** Something has happened that may have made room: an answer of any kind, a loss, a new start. */
  onChange(): void;
  /** The thread has answered a message, of whatever kind. */
  onAnswer(): void;
  /** The thread ended by itself or was stuck. */
  onLost(reason: string): void;
  /** A successor could not read what its predecessor had read. */
  onReloadFailed(reason: string): void;
}

/**
 * One tokenizer thread, replaced whenever it ends. Texts are taken by a thread that has read all of its tokenizers and
 * by no other, so that none waits in a thread that cannot serve while others can. The message that it was working on
 * when it ended may be what ended it; that behind it is handed back.
 */
export class TokenizerThread {
  readonly #options: TokenizerThreadOptions;
  readonly #stall: StallWatch;
  /** Messages that the thread has not answered, oldest first. */
  #underWay: Errand[] = [];
  /** Loads that no thread has been sent yet, while there is none. */
  #unsent: Errand[] = [];
  /** Loads that succeeded: what a successor starts with. */
  readonly #loaded: Errand[] = [];
  #worker: Worker | undefined;
  /** Threads that were stuck and have not ended yet. */
  readonly #ending = new Set<Worker>();
  /** Those of them that have a successor all the same. */
  readonly #leftBehind = new Set<Worker>();
  #restartTimer: NodeJS.Timeout | undefined;
  #lossesInARow = 0;
  #isLost = false;
  #hasAnswered = false;
  #closed = false;

  /** @throws Error when no thread can be started */
  constructor(options: TokenizerThreadOptions) {
    this.#options = options;
    this.#stall = new StallWatch(options.stallTimeoutMs, (limitMs) => {
      const worker = this.#worker;
      this.#event(() => this.#lose(`was stuck for ${Math.round(limitMs)} ms`));
      if (worker !== undefined) this.#end(worker);
    });
    this.#run(options.start());
  }

  /** How many messages of texts are not answered yet; undefined while the thread can take none. */
  get textsUnderWay(): number | undefined {
    if (this.#worker === undefined || this.#underWay.some(({ request }) => request.kind === 'load'))
      return undefined;
    return this.#underWay.length;
  }

  /** It has ended, and no successor has answered anything yet. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** Whether it has answered anything since this was last asked. */
  takeProof(): boolean {
    const proven = this.#hasAnswered;
    this.#hasAnswered = false;
    return proven;
  }

  /** Sends texts, while `textsUnderWay` is a number; loads at any time. */
  send(errand: Errand): void {
    if (this.#worker === undefined) this.#unsent.push(errand);
    else this.#post(this.#worker, errand);
  }

  /** Ends the thread. What is under way is lost. */
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

  /** All that happens to a thread passes here: the pool learns of whatever may have made room, whichever way. */
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
      // One that was stuck is succeeded when it has gone: two of them would take twice the memory.
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

  /** A load for a successor. One that fails, since files are away, leaves the others to serve, and is tried again. */
  #reload(worker: Worker, load: Errand): Errand {
    return {
      ...load,
      onReply: (reply) => {
        if (reply.kind !== 'failed') return;
        this.#options.onReloadFailed(reply.reason);
        setTimeout(() => {
          if (worker === this.#worker) this.#post(worker, this.#reload(worker, load));
        }, RELOAD_DELAY_MS).unref();
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

  #lose(reason: string): void {
    this.#worker = undefined;
    this.#isLost = true;
    this.#stall.stop();
    this.#lossesInARow++;
    const [first, ...rest] = this.#underWay.splice(0);
    this.#options.onLost(reason);
    first?.onLost(reason);
    for (const errand of rest) {
      if (errand.request.kind === 'encode') errand.onUnbegun();
      // Loads of a successor are made anew from those that succeeded.
      else if (!this.#loaded.some(({ request }) => request === errand.request)) this.#unsent.push(errand);
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
