import { Worker } from 'node:worker_threads';
import type { ThreadReply, ThreadRequest } from './thread-messages.js';

/** Before a thread that failed again without answering anything is replaced; doubles, up to the last. */
const RESTART_DELAY_MS = 100;
const MAX_RESTART_DELAY_MS = 5000;

/** Starts the thread behind it; tests put their own in, to end it by hand. */
export type StartThread = () => Worker;

export const startTokenizerThread: StartThread = () =>
  new Worker(new URL('./tokenizer-worker.js', import.meta.url));

/** A message on its way, and what is to be done with its answer or with its loss. */
export interface Errand {
  readonly request: ThreadRequest;
  onReply(reply: ThreadReply): void;
  /** The thread ended while it worked on this very message. */
  onLost(reason: string): void;
}

export interface TokenizerThreadOptions {
  readonly start: StartThread;
  /** A thread that answers nothing for this long is taken for stuck, and replaced. */
  readonly stallTimeoutMs: number;
  /** The thread ended by itself or was stuck. */
  onLost(reason: string): void;
}

/**
 * One tokenizer thread, replaced whenever it ends. The message it was working on is lost with it, since that may be
 * what ended it; the messages behind it, and the tokenizers loaded before, are handed to its successor.
 */
export class TokenizerThread {
  readonly #options: TokenizerThreadOptions;
  /** Messages that the thread has not answered, oldest first. */
  #underWay: Errand[] = [];
  /** Loads that succeeded: what a successor starts with. */
  readonly #loaded: ThreadRequest[] = [];
  #worker: Worker | undefined;
  #stallTimer: NodeJS.Timeout | undefined;
  #restartTimer: NodeJS.Timeout | undefined;
  #stuck = false;
  #lossesInARow = 0;
  #closed = false;

  constructor(options: TokenizerThreadOptions) {
    this.#options = options;
    this.#run();
  }

  /** Messages that are not answered yet. */
  get underWay(): number {
    return this.#underWay.length;
  }

  send(errand: Errand): void {
    this.#underWay.push(errand);
    if (this.#worker === undefined) return;
    this.#worker.postMessage(errand.request);
    if (this.#underWay.length === 1) this.#watch(this.#worker);
  }

  /** Ends the thread. What is under way is lost. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#restartTimer);
    clearTimeout(this.#stallTimer);
    for (const errand of this.#underWay.splice(0)) errand.onLost('closed');
    await this.#worker?.terminate();
  }

  #run(): void {
    const worker = this.#options.start();
    let reason: string | undefined;
    worker.on('message', (reply: ThreadReply) => this.#onReply(reply));
    worker.on('error', (error: Error) => {
      reason = error.message;
    });
    worker.on('exit', (code) => {
      if (this.#stuck) reason = `was stuck for ${this.#options.stallTimeoutMs} ms`;
      this.#stuck = false;
      this.#onExit(reason ?? `exited with code ${code}`);
    });
    this.#worker = worker;
    this.#underWay.unshift(
      ...this.#loaded.map((request) => ({ request, onReply: () => {}, onLost: () => {} })),
    );
    for (const { request } of this.#underWay) worker.postMessage(request);
    if (this.#underWay.length > 0) this.#watch(worker);
  }

  #onReply(reply: ThreadReply): void {
    const errand = this.#underWay.shift();
    if (errand === undefined) return;
    if (reply.kind === 'encoded') this.#lossesInARow = 0;
    if (reply.kind === 'loaded' && !this.#loaded.includes(errand.request)) this.#loaded.push(errand.request);
    if (this.#underWay.length === 0) clearTimeout(this.#stallTimer);
    else this.#stallTimer?.refresh();
    errand.onReply(reply);
  }

  #onExit(reason: string): void {
    if (this.#closed) return;
    this.#worker = undefined;
    clearTimeout(this.#stallTimer);
    this.#lossesInARow++;
    const lost = this.#underWay.shift();
    this.#underWay = this.#underWay.filter(({ request }) => !this.#loaded.includes(request));
    this.#options.onLost(reason);
    lost?.onLost(reason);
    const delayMs =
      this.#lossesInARow === 1
        ? 0
        : Math.min(MAX_RESTART_DELAY_MS, RESTART_DELAY_MS * 2 ** (this.#lossesInARow - 2));
    this.#restartTimer = setTimeout(() => this.#run(), delayMs);
  }

  #watch(worker: Worker): void {
    clearTimeout(this.#stallTimer);
    this.#stallTimer = setTimeout(() => {
      this.#stuck = true;
      void worker.terminate();
    }, this.#options.stallTimeoutMs);
    this.#stallTimer.unref();
  }
}
