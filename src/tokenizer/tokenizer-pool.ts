import { shuttingDown } from '../errors.js';
import type { EncodeResult } from './hf-tokenizer.js';
import { LoneText } from './lone-text.js';
import { packJobs } from './packed-jobs.js';
import { type JobResult, unpackResults } from './packed-results.js';
import { StallWatch } from './stall-watch.js';
import { type Message, type PendingText, TextQueue } from './text-queue.js';
import type { ThreadReply } from './thread-messages.js';
import { threadTest } from './thread-test.js';
import { threadLost, tokenizerAway, tokenizerFailed, tooManyTokens } from './tokenizer-errors.js';
import { filesDigest, readTokenizerFiles, type TokenizerFiles } from './tokenizer-files.js';
import { type Errand, type StartThread, startTokenizerThread, TokenizerThread } from './tokenizer-thread.js';
import type {
  Encoding,
  TextInput,
  Tokenizer,
  TokenizerHooks,
  TokenizerSource,
  Truncation,
  Work,
} from './types.js';

/** Messages that a thread holds at once: one that it works on, and one so that it need not wait for the next. */
const MAX_UNDER_WAY = 2;
const DEFAULT_QUIET_MS = 1;
/** A full message takes milliseconds; it takes seconds only on a very busy machine. */
const DEFAULT_STALL_TIMEOUT_MS = 3_000;
/** Added for a text longer than a message: fifty times what a slow core takes. */
const STALL_MS_PER_CHAR = 0.05;
/** A vocabulary of tens of megabytes takes seconds, including the start of the thread. */
const DEFAULT_LOAD_TIMEOUT_MS = 30_000;
const DEFAULT_MAX_WAIT_MS = 30_000;

export interface TokenizerPoolOptions {
  /** Threads. Each holds the tokenizers of all models. */
  readonly workers: number;
  /** A thread that takes this long for a message of texts (longer for a long text) is replaced. Default: 3000. */
  readonly stallTimeoutMs?: number;
  /** A thread that takes this long to read a tokenizer is replaced. Default: 30000. */
  readonly loadTimeoutMs?: number;
  /** A stuck thread gets a successor after this long, even if it does not end. Default: 5000. */
  readonly endGraceMs?: number;
  /** Texts are refused if no thread has answered anything for this long. Default: 30000. */
  readonly maxWaitMs?: number;
  /** How often to test a thread that has answered nothing meanwhile; 0: never. Default: 0. */
  readonly testIntervalMs?: number;
  /** A short text that arrives after this long without another is tokenised on the calling thread. Default: 1. */
  readonly quietMs?: number;
  readonly hooks?: TokenizerHooks;
  readonly startThread?: StartThread;
}

/** A tokenizer that every thread has read. */
interface ReadTokenizer {
  /** The id that pads a batch. */
  readonly padId: number;
  readonly lone: LoneText;
}

/** A tokenizer that the threads hold, for as many models as use it. */
interface HeldTokenizer {
  readonly key: string;
  /** What messages call it. */
  readonly number: number;
  users: number;
  readonly ready: Promise<ReadTokenizer>;
}

/** Work whose end somebody waits for. */
const WANTED: Work = { abandoned: false };

/**
 * Tokenises on worker threads. Texts of one turn of the event loop travel in one message, and while the threads are
 * busy, more texts gather for the next message: the hand-over costs the main thread a few microseconds per text.
 *
 * After any event of a thread, the pool checks all waiting texts and all free threads again (`#pump`), so it cannot
 * lose a wake-up.
 */
export class TokenizerPool {
  readonly #threads: readonly TokenizerThread[];
  readonly #queue = new TextQueue();
  readonly #stallTimeoutMs: number;
  readonly #loadTimeoutMs: number;
  readonly #maxWaitMs: number;
  /** Runs while texts wait, from the last answer of any thread. */
  readonly #wait: StallWatch;
  #isWaiting = false;
  /** The wait is over: texts are refused until a thread answers. */
  #isAway = false;
  #pumpScheduled = false;
  readonly #testTimer: NodeJS.Timeout | undefined;
  #isAvailable = true;
  readonly #onAvailability: (available: boolean) => void;
  readonly #quietMs: number;
  #lastAskedAt = 0;
  #nextNumber = 0;
  /** What the threads hold or are reading, by the files that it is read from. */
  readonly #held = new Map<string, HeldTokenizer>();
  #closed = false;

  /** @throws Error if no thread can be started */
  constructor(options: TokenizerPoolOptions) {
    this.#quietMs = options.quietMs ?? DEFAULT_QUIET_MS;
    this.#stallTimeoutMs = options.stallTimeoutMs ?? DEFAULT_STALL_TIMEOUT_MS;
    this.#loadTimeoutMs = options.loadTimeoutMs ?? DEFAULT_LOAD_TIMEOUT_MS;
    this.#maxWaitMs = options.maxWaitMs ?? DEFAULT_MAX_WAIT_MS;
    this.#wait = new StallWatch(this.#maxWaitMs, () => this.#giveUp());
    const threadOptions = {
      start: options.startThread ?? startTokenizerThread,
      stallTimeoutMs: this.#stallTimeoutMs,
      ...(options.endGraceMs === undefined ? {} : { endGraceMs: options.endGraceMs }),
      onChange: () => this.#pump(),
      onAnswer: () => this.#heard(),
      onLost: (reason: string) => options.hooks?.onThreadLost?.(reason),
    };
    this.#onAvailability = (available) => options.hooks?.onAvailability?.(available);
    const { testIntervalMs = 0 } = options;
    if (testIntervalMs > 0) this.#testTimer = setInterval(() => this.#test(), testIntervalMs).unref();
    this.#threads = Array.from({ length: options.workers }, () => new TokenizerThread(threadOptions));
  }

  /**
   * Reads a tokenizer on every thread, where it stays until it is closed. Models with the same files share one: a new version
   * of a model seldom has other ones, and a thread tokenises nothing while it reads.
   * @throws Error that names the file if it cannot be read or used
   */
  async load(source: TokenizerSource): Promise<Tokenizer> {
    const files = await readTokenizerFiles(source);
    if (this.#closed) throw shuttingDown();
    const { maxTokens } = files;
    const digest = filesDigest(files);
    const held = this.#hold(`${digest} ${maxTokens}`, files);
    let closed = false;
    const close = () => {
      if (!closed) this.#release(held);
      closed = true;
    };
    try {
      const { padId, lone } = await held.ready;
      const encode = this.#encoder(held.number, lone, maxTokens);
      return { maxTokens, padId, filesDigest: digest, encode, close };
    } catch (error) {
      close();
      throw error;
    }
  }

  #encoder(tokenizer: number, lone: LoneText, maxTokens: number): Tokenizer['encode'] {
    return (input, truncation, work = WANTED, most = maxTokens) => {
      const limit = Math.min(most, maxTokens);
      if (this.#closed) return Promise.reject(shuttingDown());
      const chars = input.text.length + (input.textPair?.length ?? 0);
      if (this.#isQuiet()) {
        const encoding = encodeAlone(lone, input, truncation, limit);
        if (encoding !== undefined) return encoding;
      }
      if (this.#isAway) return Promise.reject(tokenizerAway());
      return new Promise((resolve, reject) => {
        const job = { tokenizer, input, truncation, maxTokens: limit };
        this.#queue.add({ ...job, chars, work, losses: 0, resolve, reject });
        this.#pumpSoon();
      });
    };
  }

  /** Takes part in a tokenizer of these files. */
  #hold(key: string, files: TokenizerFiles): HeldTokenizer {
    let held = this.#held.get(key);
    if (held === undefined) {
      const number = this.#nextNumber++;
      held = { key, number, users: 0, ready: this.#read(number, files) };
      this.#held.set(key, held);
    }
    held.users++;
    return held;
  }

  /** The last to leave it takes it from the threads. */
  #release(held: HeldTokenizer): void {
    held.users--;
    if (held.users > 0) return;
    this.#held.delete(held.key);
    if (this.#closed) return;
    for (const thread of this.#threads) thread.unload(held.number);
  }

  async #read(number: number, files: TokenizerFiles): Promise<ReadTokenizer> {
    const loads = await Promise.allSettled(this.#threads.map((thread) => this.#load(thread, number, files)));
    const failed = loads.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    const [first] = loads;
    return { padId: first?.status === 'fulfilled' ? first.value : 0, lone: new LoneText(files) };
  }

  /** @returns the id that pads a batch */
  #load(thread: TokenizerThread, tokenizer: number, files: TokenizerFiles): Promise<number> {
    const { path } = files;
    return new Promise<number>((resolve, reject) => {
      const fail = (words: string) => reject(new Error(words));
      thread.send({
        request: { kind: 'load', tokenizer, files },
        limitMs: this.#loadTimeoutMs,
        onReply: (reply) => {
          if (reply.kind === 'loaded') resolve(reply.padId);
          else fail(reply.kind === 'failed' ? reply.reason : `${path}: no answer`);
        },
        onLost: (reason) => fail(`${path}: the tokenizer thread ${reason}`),
        onUnbegun: () => fail(`${path}: the tokenizer thread ended`),
      });
    });
  }

  /** Whether there is a thread, even a busy one: not all of them are being replaced. */
  get isAvailable(): boolean {
    return this.#isAvailable;
  }

  /** Ends the threads. Refuses texts that are not tokenised yet. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#testTimer);
    this.#wait.stop();
    for (const text of this.#queue.removeAll()) text.reject(shuttingDown());
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }

  /** Whether no text has arrived for a while. */
  #isQuiet(): boolean {
    const now = performance.now();
    const quiet = now - this.#lastAskedAt >= this.#quietMs;
    this.#lastAskedAt = now;
    return quiet;
  }

  #pumpSoon(): void {
    if (this.#pumpScheduled) return;
    this.#pumpScheduled = true;
    setImmediate(() => {
      this.#pumpScheduled = false;
      this.#pump();
    });
  }

  /**
   * Gives waiting texts to threads with room. Does nothing if no text waits or no thread has room: call it at any time.
   */
  #pump(): void {
    for (let thread = this.#freeThread(); thread !== undefined; thread = this.#freeThread()) {
      const message = this.#queue.next();
      if (message === undefined) break;
      thread.send(this.#errand(message));
    }
    const isWaiting = !this.#queue.isEmpty;
    if (!isWaiting) this.#wait.end();
    else if (!this.#isWaiting) this.#wait.begin(this.#maxWaitMs);
    this.#isWaiting = isWaiting;
    this.#announce();
  }

  #announce(): void {
    const isAvailable = !this.#threads.every((thread) => thread.isLost);
    if (isAvailable === this.#isAvailable) return;
    this.#isAvailable = isAvailable;
    this.#onAvailability(isAvailable);
  }

  /** Texts that arrive meanwhile go to another thread, or wait less than a millisecond. */
  #test(): void {
    const numbers = Array.from(this.#held.values(), ({ number }) => number);
    for (const thread of this.#threads) {
      const isProven = thread.takeProof();
      if (isProven || thread.textsUnderWay !== 0) continue;
      thread.send(threadTest(numbers, this.#stallTimeoutMs));
    }
  }

  /** The least busy thread with room. */
  #freeThread(): TokenizerThread | undefined {
    let free: TokenizerThread | undefined;
    let least = MAX_UNDER_WAY;
    for (const thread of this.#threads) {
      const underWay = thread.textsUnderWay ?? MAX_UNDER_WAY;
      if (underWay >= least) continue;
      least = underWay;
      free = thread;
    }
    return free;
  }

  #errand(message: Message): Errand {
    return {
      request: { kind: 'encode', jobs: packJobs(message.texts) },
      limitMs: this.#stallTimeoutMs + message.chars * STALL_MS_PER_CHAR,
      onReply: (reply) => {
        this.#queue.answered(message);
        settle(message.texts, reply);
      },
      onLost: (reason) => {
        if (this.#closed) for (const text of message.texts) text.reject(shuttingDown());
        else for (const text of this.#queue.lost(message)) text.reject(threadLost(reason));
      },
      onUnbegun: () => this.#queue.unbegun(message),
    };
  }

  /** A thread has answered: restart the wait. */
  #heard(): void {
    this.#isAway = false;
    if (this.#isWaiting) this.#wait.begin(this.#maxWaitMs);
  }

  #giveUp(): void {
    this.#isAway = true;
    this.#isWaiting = false;
    for (const text of this.#queue.removeAll()) text.reject(tokenizerAway());
  }
}

function settle(texts: readonly PendingText[], reply: ThreadReply): void {
  if (reply.kind !== 'encoded') {
    for (const text of texts) text.reject(tokenizerFailed(undefined));
    return;
  }
  unpackResults(reply.results, texts.length, (index, result) => {
    const text = texts[index];
    if (text !== undefined) settleOne(text, result, reply.failure);
  });
}

function settleOne(text: PendingText, result: JobResult, failure: string | undefined): void {
  if (result.kind === 'encoding') text.resolve(result.encoding);
  else if (result.kind === 'failed') text.reject(tokenizerFailed(failure));
  else text.reject(tooManyTokens(text.input, result.tokens, text.maxTokens));
}

async function settledAlone(result: EncodeResult, input: TextInput, maxTokens: number): Promise<Encoding> {
  if (result.kind === 'encoding') return result.encoding;
  throw tooManyTokens(input, result.tokens, maxTokens);
}

function encodeAlone(
  lone: LoneText,
  input: TextInput,
  truncation: Truncation,
  maxTokens: number,
): Promise<Encoding> | undefined {
  try {
    const result = lone.encode(input, truncation, maxTokens);
    return result && settledAlone(result, input, maxTokens);
  } catch (error) {
    return Promise.reject(tokenizerFailed(error instanceof Error ? error.message : String(error)));
  }
}
