import { maxTimerMs } from '../concurrency/max-timer.js';
import type { MaybePromise } from '../concurrency/maybe-promise.js';
import { deadlineExceeded, type VerdictError } from '../errors.js';
import type { Call } from './route.js';

/** Bytes of requests that one stream holds at a time, besides the one that goes beyond. */
const maxHeldBytes = 2 ** 20;

/** One request of a stream, from its arrival to its response. */
export interface WindowItem {
  /** performance.now() milliseconds. */
  readonly deadlineAt: number;
  /** Whether it has its response, good or bad. */
  readonly isAnswered: boolean;
  /** Bytes of the request, while its answer is waited for. */
  heldBytes: number;
}

/** What a stream does with its items. */
export interface WindowHooks<I, A> {
  /** Puts an answer into an item. */
  answered(item: I, answer: A): void;
  /** Puts a failure into it. */
  failed(item: I, error: unknown): void;
  /** Sends an item that has its response. @param onWritten as of {@link Call.send} */
  write(item: I, onWritten: () => void): void;
}

/**
 * What one stream holds. A request is held from its arrival until the connection has taken its response, and while the window is full
 * nothing more is read: a caller that does not read its answers is not read from either.
 *
 * An answer that is at hand when the request comes, and that nothing holds back, goes out in the same turn without
 * a promise. All others wait in `#pending`, which keeps the order of the requests: that is the order of writing
 * where the caller wants it, and always the order of the deadlines, so that one timer serves the whole stream.
 */
export class StreamWindow<I extends WindowItem, A> {
  /** In which order responses leave. */
  order: 'request' | 'completion' = 'request';
  readonly #call: Pick<Call<never>, 'deadlineAt' | 'read' | 'hold' | 'release' | 'finish' | 'fail'>;
  readonly #maxItems: number;
  readonly #hooks: WindowHooks<I, A>;
  readonly #pending = new Set<I>();
  #held = 0;
  /** Bytes of the requests that wait for their answers. */
  #heldBytes = 0;
  /** False once the caller has half-closed, or the stream has been stopped. */
  #reading = true;
  #readRequested = true;
  #pumping = false;
  /** What the call ends with once the held items are answered. */
  #stopError: VerdictError | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param maxItems that the stream holds at a time */
  constructor(
    call: Pick<Call<never>, 'deadlineAt' | 'read' | 'hold' | 'release' | 'finish' | 'fail'>,
    maxItems: number,
    hooks: WindowHooks<I, A>,
  ) {
    this.#call = call;
    this.#maxItems = maxItems;
    this.#hooks = hooks;
  }

  /** Says that the message which was asked for has come. Returns whether the stream still wants it. */
  received(): boolean {
    this.#readRequested = false;
    return this.#reading;
  }

  /**
   * Takes a request in.
   * @param bytes of the request
   * @param answer computes its answer; what it throws is its failure
   */
  add(item: I, bytes: number, answer: () => MaybePromise<A>): void {
    this.#held++;
    try {
      const found = answer();
      if (found instanceof Promise) {
        this.#await(item, found, bytes);
        return;
      }
      this.#hooks.answered(item, found);
    } catch (error) {
      this.#hooks.failed(item, error);
    }
    if (this.#pending.size > 0 && this.order === 'request') this.#pending.add(item);
    else this.#hooks.write(item, this.#onWritten);
  }

  /** Reads while there is room. A loop, since a message that lies ready is delivered inside `read`. */
  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.#reading && !this.#readRequested && this.#hasRoom()) {
      this.#readRequested = true;
      this.#call.read();
    }
    this.#pumping = false;
  }

  /** The caller sends nothing more. */
  halfClose(): void {
    this.#reading = false;
    this.#endIfDone();
  }

  /** Reads no more, answers what is held, and ends the call with the error. */
  stop(error: VerdictError): void {
    this.#stopError ??= error;
    this.halfClose();
  }

  /** The call is over. */
  close(): void {
    clearTimeout(this.#timer);
    this.#pending.clear();
  }

  #await(item: I, answer: Promise<A>, bytes: number): void {
    this.#pending.add(item);
    item.heldBytes = bytes;
    this.#heldBytes += bytes;
    if (this.#timer === undefined) this.#arm(item.deadlineAt);
    // May end the call, and with it the timer.
    this.#call.hold(bytes);
    answer.then(
      (value) => {
        if (this.#isAwaited(item)) this.#settle(item, () => this.#hooks.answered(item, value));
      },
      (error: unknown) => {
        if (this.#isAwaited(item)) this.#settle(item, () => this.#hooks.failed(item, error));
      },
    );
  }

  /** Late answers, after the item's deadline or the end of the call, are dropped. */
  #isAwaited(item: I): boolean {
    return !item.isAnswered && this.#pending.has(item);
  }

  /** An item that had to be waited for. */
  #settle(item: I, respond: () => void): void {
    respond();
    this.#heldBytes -= item.heldBytes;
    this.#call.release(item.heldBytes);
    if (this.order === 'completion') {
      this.#pending.delete(item);
      this.#hooks.write(item, this.#onWritten);
    } else {
      for (const head of this.#pending) {
        if (!head.isAnswered) break;
        this.#pending.delete(head);
        this.#hooks.write(head, this.#onWritten);
      }
    }
    this.#endIfDone();
  }

  readonly #onWritten = (): void => {
    this.#held--;
    this.pump();
  };

  #hasRoom(): boolean {
    return this.#held < this.#maxItems && this.#heldBytes < maxHeldBytes;
  }

  #endIfDone(): void {
    if (this.#reading || this.#pending.size > 0) return;
    if (this.#stopError === undefined) this.#call.finish();
    else this.#call.fail(this.#stopError);
  }

  #arm(deadlineAt: number): void {
    const delayMs = Math.ceil(deadlineAt - performance.now());
    this.#timer = setTimeout(this.#expire, Math.min(Math.max(1, delayMs), maxTimerMs));
  }

  /** The classifier keeps the deadlines of its inputs; this is the net under it, so that no request waits for ever. */
  readonly #expire = (): void => {
    this.#timer = undefined;
    const now = performance.now();
    for (const item of this.#pending) {
      if (item.isAnswered) continue;
      if (item.deadlineAt > now) {
        this.#arm(item.deadlineAt);
        return;
      }
      // At the deadline of the call itself its end tells of all that it holds.
      if (item.deadlineAt < this.#call.deadlineAt)
        this.#settle(item, () => this.#hooks.failed(item, deadlineExceeded()));
    }
  };
}
