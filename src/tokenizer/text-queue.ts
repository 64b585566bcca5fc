import { callerLeft, type VerdictError } from '../errors.js';
import type { TextJob } from './packed-jobs.js';
import type { Encoding, Work } from './types.js';

/** Most characters in one message, so that short texts do not wait long for others in the same message. */
const MAX_MESSAGE_CHARS = 8192;
/** Most texts in one message: empty texts take no characters. */
const MAX_MESSAGE_TEXTS = 1024;
/** The first thread lost with a text says nothing about the text; the second one, which worked on it alone, does. */
const MOST_LOSSES = 1;

/** A text that somebody waits for. */
export interface PendingText extends TextJob {
  readonly chars: number;
  readonly work: Work;
  /** Number of threads that ended while they worked on it. */
  losses: number;
  resolve(encoding: Encoding): void;
  reject(error: VerdictError): void;
}

/** Texts that travel together; never empty. */
export interface Message {
  readonly texts: readonly PendingText[];
  readonly chars: number;
  /** Its only text was lost with a thread before. */
  readonly isSuspect: boolean;
}

/**
 * The texts that wait for a thread: first come, first served. They are already admitted, so there are never more than
 * the queues of the models can hold. Texts that were lost with a thread are retried once, one at a time in separate
 * messages: the text that ends threads fails alone, and takes at most one thread from the others.
 */
export class TextQueue {
  #pending: PendingText[] = [];
  #suspects: PendingText[] = [];
  #suspectUnderWay = false;
  /** The last suspect also ended its thread: other texts go before the next suspect. */
  #suspectsYield = false;

  get isEmpty(): boolean {
    return this.#pending.length === 0 && this.#suspects.length === 0;
  }

  add(text: PendingText): void {
    this.#pending.push(text);
  }

  /** The next message, which counts as under way from now on. Drops texts that nobody waits for. */
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
   * @returns the texts that are not retried
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

  /** The thread ended before it reached the message: the message returns to the front. */
  unbegun({ texts, isSuspect }: Message): void {
    if (isSuspect) {
      this.#suspectUnderWay = false;
      this.#suspects.unshift(...texts);
    } else {
      this.#pending.unshift(...texts);
    }
  }

  /** Removes all waiting texts. */
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

  /** The oldest texts that fit one message. It may be empty if texts are dropped. */
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
