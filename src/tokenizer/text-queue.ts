import { callerLeft, type VerdictError } from '../errors.js';
import type { TextJob } from './packed-jobs.js';
import type { Encoding, Work } from './types.js';

/** Characters that one message holds, so that short texts do not wait long for those that share their message. */
const MAX_MESSAGE_CHARS = 8192;
/** Texts that one message holds: empty ones take no characters. */
const MAX_MESSAGE_TEXTS = 1024;
/** The thread that a text was lost with says nothing about it; the second one, which worked on it alone, does. */
const MOST_LOSSES = 1;

/** A text that somebody waits for. */
export interface PendingText extends TextJob {
  readonly chars: number;
  readonly maxTokens: number;
  readonly work: Work;
  /** Threads that ended while they worked on it. */
  losses: number;
  resolve(encoding: Encoding): void;
  reject(error: VerdictError): void;
}

/** Texts that travel together; never empty. */
export interface Message {
  readonly texts: readonly PendingText[];
  readonly chars: number;
  /** Its one text was lost with a thread before. */
  readonly isSuspect: boolean;
}

/**
 * The texts that wait for a thread: first come, first served. They were admitted before, so there are never more than the
 * queues of the models have room for. Those that a thread was lost with are tried once more,
 * each in a message of its own and one at a time: the one that ends threads fails alone, and takes one thread at most
 * from the others.
 */
export class TextQueue {
  #pending: PendingText[] = [];
  #suspects: PendingText[] = [];
  #suspectUnderWay = false;
  /** The last suspect ended its thread as well: others have their turn before the next one. */
  #suspectsYield = false;

  get isEmpty(): boolean {
    return this.#pending.length === 0 && this.#suspects.length === 0;
  }

  add(text: PendingText): void {
    this.#pending.push(text);
  }

  /** The next message, which counts as under way from now on. Texts that nobody waits for any more are dropped. */
  next(): Message | undefined {
    if (this.#suspectsYield) return this.#nextMessage() ?? this.#nextSuspect();
    return this.#nextSuspect() ?? this.#nextMessage();
  }

  /** The message has been answered. */
  answered({ isSuspect }: Message): void {
    if (isSuspect) this.#suspectUnderWay = false;
    else this.#suspectsYield = false;
  }

  /**
   * The thread ended while it worked on the message.
   * @returns the texts that are not tried again
   */
  lost({ texts, isSuspect }: Message): readonly PendingText[] {
    if (isSuspect) {
      this.#suspectUnderWay = false;
      this.#suspectsYield = true;
    }
    for (const text of texts) text.losses++;
    this.#suspects.push(...texts.filter(({ losses }) => losses <= MOST_LOSSES));
    return texts.filter(({ losses }) => losses > MOST_LOSSES);
  }

  /** The thread ended before it came to the message: back to the front. */
  unbegun({ texts, isSuspect }: Message): void {
    if (isSuspect) {
      this.#suspectUnderWay = false;
      this.#suspects.unshift(...texts);
    } else {
      this.#pending.unshift(...texts);
    }
  }

  /** Takes out all that wait. */
  removeAll(): PendingText[] {
    return [...this.#suspects.splice(0), ...this.#pending.splice(0)];
  }

  #nextSuspect(): Message | undefined {
    if (this.#suspectUnderWay) return undefined;
    for (let text = this.#suspects.shift(); text !== undefined; text = this.#suspects.shift()) {
      if (text.work.abandoned) text.reject(callerLeft());
      else {
        this.#suspectUnderWay = true;
        return { texts: [text], chars: text.chars, isSuspect: true };
      }
    }
    return undefined;
  }

  #nextMessage(): Message | undefined {
    while (this.#pending.length > 0) {
      const message = this.#take();
      if (message.texts.length > 0) return message;
    }
    return undefined;
  }

  /** The oldest texts that fit one message. It may be empty where texts are dropped. */
  #take(): Message {
    const texts: PendingText[] = [];
    let chars = 0;
    let count = 0;
    for (const text of this.#pending) {
      if (!text.work.abandoned) {
        if (texts.length > 0 && chars + text.chars > MAX_MESSAGE_CHARS) break;
        if (texts.length >= MAX_MESSAGE_TEXTS) break;
        texts.push(text);
        chars += text.chars;
      } else {
        text.reject(callerLeft());
      }
      count++;
    }
    this.#pending.splice(0, count);
    return { texts, chars, isSuspect: false };
  }
}
