import { callerLeft, shuttingDown, type VerdictError } from '../errors.js';
import type { EncodeResult } from './hf-tokenizer.js';
import { LoneText } from './lone-text.js';
import { packJobs, type TextJob } from './packed-jobs.js';
import { type JobResult, unpackResults } from './packed-results.js';
import type { ThreadReply, TokenizerSource } from './thread-messages.js';
import { queueFull, threadLost, tokenizerFailed, tooManyTokens } from './tokenizer-errors.js';
import { type StartThread, startTokenizerThread, TokenizerThread } from './tokenizer-thread.js';
import type { Encoding, TextInput, Tokenizer, TokenizerHooks, Truncation, Work } from './types.js';

/** Messages that a thread has at once: one that it works on, and one so that it need not wait for the next. */
const MAX_UNDER_WAY = 2;
/** Characters that one message holds, so that short texts do not wait long for those that share their message. */
const MAX_MESSAGE_CHARS = 8192;
const DEFAULT_MAX_PENDING_CHARS = 16 * 1024 * 1024;
/** What streams may take of it, so that they cannot shut out unary calls. */
const STREAM_SHARE = 0.75;
const DEFAULT_QUIET_MS = 1;
const DEFAULT_STALL_TIMEOUT_MS = 30_000;

export interface TokenizerPoolOptions {
  /** Threads. Each holds the tokenizers of all models. */
  readonly workers: number;
  /** Characters in the queue for the threads; more are refused, or wait before it. Default: 16 Mi, 32 MB of memory. */
  readonly maxPendingChars?: number;
  /** A thread that answers nothing for this long is taken for stuck, and replaced. Default: 30000. */
  readonly stallTimeoutMs?: number;
  /** A short text that comes after this long without another is tokenised on the calling thread. Default: 1. */
  readonly quietMs?: number;
  readonly hooks?: TokenizerHooks;
  readonly startThread?: StartThread;
}

/** Work that somebody waits for to its end. */
const WANTED: Work = { abandoned: false };

interface PendingText extends TextJob {
  readonly chars: number;
  readonly maxTokens: number;
  readonly work: Work;
  resolve(encoding: Encoding): void;
  reject(error: VerdictError): void;
}

/**
 * Tokenises on worker threads. What is asked for in one turn of the event loop travels in one message, and while the
 * threads are busy, more gathers into the next: the hand-over costs the main thread a few microseconds per text.
 */
export class TokenizerPool {
  readonly #threads: readonly TokenizerThread[];
  readonly #maxPendingChars: number;
  #pending: PendingText[] = [];
  #pendingChars = 0;
  /** Of streams, before the full queue. Bounded by their windows, which hold these texts anyway. */
  #outside: PendingText[] = [];
  #flushScheduled = false;
  readonly #quietMs: number;
  #lastAskedAt = 0;
  #tokenizerCount = 0;
  #closed = false;

  constructor(options: TokenizerPoolOptions) {
    this.#quietMs = options.quietMs ?? DEFAULT_QUIET_MS;
    this.#maxPendingChars = options.maxPendingChars ?? DEFAULT_MAX_PENDING_CHARS;
    const threadOptions = {
      start: options.startThread ?? startTokenizerThread,
      stallTimeoutMs: options.stallTimeoutMs ?? DEFAULT_STALL_TIMEOUT_MS,
      onLost: (reason: string) => options.hooks?.onThreadLost?.(reason),
    };
    this.#threads = Array.from({ length: options.workers }, () => new TokenizerThread(threadOptions));
  }

  /**
   * Reads a tokenizer on every thread.
   * @throws Error that names the file, for one that cannot be read or used
   */
  async load(source: TokenizerSource): Promise<Tokenizer> {
    const tokenizer = this.#tokenizerCount++;
    const { tokenizerJsonPath, tokenizerConfigPath, maxTokens } = source;
    const request = {
      kind: 'load',
      tokenizer,
      source: { tokenizerJsonPath, tokenizerConfigPath, maxTokens },
    } as const;
    const [padId = 0] = await Promise.all(
      this.#threads.map(
        (thread) =>
          new Promise<number>((resolve, reject) => {
            thread.send({
              request,
              onReply: (reply) => {
                if (reply.kind === 'loaded') resolve(reply.padId);
                else
                  reject(
                    new Error(reply.kind === 'failed' ? reply.reason : `${tokenizerJsonPath}: no answer`),
                  );
              },
              onLost: (reason) => reject(new Error(`${tokenizerJsonPath}: the tokenizer thread ${reason}`)),
            });
          }),
      ),
    );
    const lone = new LoneText(source);
    return {
      maxTokens,
      padId,
      encode: (input, truncation, whenFull = 'refuse', work = WANTED) => {
        if (this.#closed) return Promise.reject(shuttingDown());
        const chars = input.text.length + (input.textPair?.length ?? 0);
        if (this.#isQuiet()) {
          const encoding = encodeAlone(lone, input, truncation, maxTokens);
          if (encoding !== undefined) return encoding;
        }
        if (whenFull === 'refuse' && !this.#hasRoom(chars, 1)) return Promise.reject(queueFull());
        return new Promise((resolve, reject) => {
          this.#add({ tokenizer, maxTokens, input, truncation, chars, work, resolve, reject }, whenFull);
        });
      },
    };
  }

  /** Whether no text has been asked for in a while. */
  #isQuiet(): boolean {
    const now = performance.now();
    const quiet = now - this.#lastAskedAt >= this.#quietMs;
    this.#lastAskedAt = now;
    return quiet;
  }

  /** Ends the threads. What was not tokenised yet is refused. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const text of [...this.#pending.splice(0), ...this.#outside.splice(0)]) text.reject(shuttingDown());
    this.#pendingChars = 0;
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }

  #hasRoom(chars: number, share: number): boolean {
    return this.#pendingChars + chars <= this.#maxPendingChars * share;
  }

  #add(text: PendingText, whenFull: 'refuse' | 'wait'): void {
    if (whenFull === 'wait' && (this.#outside.length > 0 || !this.#hasRoom(text.chars, STREAM_SHARE))) {
      this.#outside.push(text);
    } else {
      this.#pending.push(text);
      this.#pendingChars += text.chars;
    }
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    setImmediate(() => {
      this.#flushScheduled = false;
      this.#flush();
    });
  }

  /** Lets in those before the queue, in order, as far as there is room. An empty queue takes a text of any length. */
  #admit(): void {
    let count = 0;
    for (const { chars } of this.#outside) {
      if (this.#pendingChars > 0 && !this.#hasRoom(chars, STREAM_SHARE)) break;
      this.#pendingChars += chars;
      count++;
    }
    if (count > 0) for (const text of this.#outside.splice(0, count)) this.#pending.push(text);
  }

  #flush(): void {
    for (this.#admit(); this.#pending.length > 0; this.#admit()) {
      const thread = this.#threads.reduce((least, other) =>
        other.underWay < least.underWay ? other : least,
      );
      if (thread.underWay >= MAX_UNDER_WAY) return;
      const texts = this.#takeMessage();
      if (texts.length === 0) continue;
      thread.send({
        request: { kind: 'encode', jobs: packJobs(texts) },
        onReply: (reply) => {
          this.#flush();
          settle(texts, reply);
        },
        onLost: (reason) => {
          const error = this.#closed ? shuttingDown() : threadLost(reason);
          for (const text of texts) text.reject(error);
          this.#flush();
        },
      });
    }
  }

  /** The oldest texts that fit one message. Texts that nobody waits for any more are dropped: the message may be empty. */
  #takeMessage(): PendingText[] {
    const message: PendingText[] = [];
    let chars = 0;
    let count = 0;
    for (const text of this.#pending) {
      if (!text.work.abandoned) {
        if (message.length > 0 && chars + text.chars > MAX_MESSAGE_CHARS) break;
        message.push(text);
        chars += text.chars;
      } else {
        text.reject(callerLeft());
      }
      this.#pendingChars -= text.chars;
      count++;
    }
    this.#pending.splice(0, count);
    return message;
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

async function settledAlone(result: EncodeResult, input: TextInput, maxTokens: number): Promise<Encoding> {
  if (result.kind === 'encoding') return result.encoding;
  throw tooManyTokens(fieldOf(input), result.tokens, maxTokens);
}

function encodeAlone(
  lone: LoneText,
  input: TextInput,
  truncation: Truncation,
  maxTokens: number,
): Promise<Encoding> | undefined {
  try {
    const result = lone.encode(input, truncation);
    return result && settledAlone(result, input, maxTokens);
  } catch (error) {
    return Promise.reject(tokenizerFailed(error instanceof Error ? error.message : String(error)));
  }
}

function fieldOf(input: TextInput): 'text' | 'pair' {
  return input.textPair === undefined ? 'text' : 'pair';
}

function settleOne(text: PendingText, result: JobResult, failure: string | undefined): void {
  if (result.kind === 'encoding') text.resolve(result.encoding);
  else if (result.kind === 'failed') text.reject(tokenizerFailed(failure));
  else text.reject(tooManyTokens(fieldOf(text.input), result.tokens, text.maxTokens));
}
