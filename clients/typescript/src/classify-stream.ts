import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import type {
  ClassifyStreamRequest,
  ClassifyStreamResponse,
} from '../../../generated/verdict/v1/classifier_service.js';
import {
  cancelled,
  fromServiceError,
  fromStatus,
  invalidArgument,
  VerdictClientError,
} from './client-error.js';
import { toClassification } from './from-response.js';
import { ResultQueue } from './result-queue.js';
import { NO_DETAILS } from './status-details.js';
import { StreamFeed } from './stream-feed.js';
import { toSettingsRequest, toStreamRequest, toSummary } from './stream-messages.js';
import type { StreamItem, StreamOptions, StreamResult, StreamSummary } from './stream-types.js';
import { closedError } from './unary-call.js';

type Call = ClientDuplexStream<ClassifyStreamRequest, ClassifyStreamResponse>;

const DEFAULT_WINDOW = 256;

/**
 * One ClassifyStream call as an async iterable. The call starts with the first `next()`, that is, with the loop.
 * The source is read as results are taken, `window` inputs ahead at most. Leaving the loop cancels the call and ends
 * the source. An error of the source cancels the call and is thrown as it is, after the results that were there.
 */
export class ClassifyStream<T extends string | StreamItem>
  implements AsyncIterableIterator<StreamResult<T>, undefined>
{
  readonly #open: () => Call;
  readonly #source: AsyncIterable<T> | Iterable<T>;
  readonly #options: StreamOptions;
  readonly #settings: ClassifyStreamRequest | undefined;
  readonly #results = new ResultQueue<StreamResult<T>>(() => this.#feed?.release());
  /** Sent and not answered, by index. */
  readonly #unanswered = new Map<number, T>();
  #feed: StreamFeed<T> | undefined;
  #call: Call | undefined;
  #callError: ServiceError | undefined;
  #sourceEnded = false;
  #over = false;
  #summary: StreamSummary | undefined;

  /** @throws VerdictClientError INVALID_ARGUMENT */
  constructor(open: () => Call, source: AsyncIterable<T> | Iterable<T>, options: StreamOptions) {
    if (!isSource(source)) throw invalidArgument('the source must be an iterable of inputs, not a text');
    this.#open = open;
    this.#source = source;
    this.#options = options;
    this.#settings = toSettingsRequest(options);
  }

  /** The server's own count, once the loop has ended by itself; only with `sendEnd`. */
  get summary(): StreamSummary | undefined {
    return this.#summary;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<StreamResult<T>, undefined>> {
    if (this.#feed === undefined && !this.#over) this.#start();
    return this.#results.next();
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#results.clear();
    await this.#stop();
    return { done: true, value: undefined };
  }

  #start(): void {
    const { signal, window = DEFAULT_WINDOW } = this.#options;
    if (signal?.aborted) {
      this.#abort();
      return;
    }
    let call: Call;
    try {
      call = this.#open();
    } catch (error) {
      void this.#stop(closedError(error));
      return;
    }
    this.#call = call;
    call.on('data', (message: ClassifyStreamResponse) => this.#receive(message));
    call.on('error', (error: ServiceError) => {
      this.#callError ??= error;
    });
    // After 'error', and after the last message. 'close' covers a call that was destroyed.
    call.on('end', () => this.#settle());
    call.on('close', () => this.#settle());
    call.on('drain', () => this.#feed?.wake());
    signal?.addEventListener('abort', this.#abort, { once: true });
    try {
      if (this.#settings !== undefined) call.write(this.#settings);
      this.#feed = new StreamFeed(this.#source, this.#target(call), window);
    } catch (error) {
      // The source's own: it would not begin.
      void this.#stop(error);
      return;
    }
    void this.#feed.run();
  }

  #target(call: Call) {
    return {
      get isFull() {
        return call.writableNeedDrain;
      },
      write: (item: T, index: number) => {
        const request = toStreamRequest(item);
        this.#unanswered.set(index, item);
        call.write(request);
      },
      end: () => {
        this.#sourceEnded = true;
        call.end();
      },
      fail: (error: unknown) => void this.#stop(error),
    };
  }

  #receive({ id, index, outcome }: ClassifyStreamResponse): void {
    if (outcome?.$case === 'end') {
      this.#summary = toSummary(outcome.value);
      return;
    }
    const item = this.#unanswered.get(index);
    if (item === undefined || outcome === undefined) {
      void this.#stop(brokenStream('The server answered an input that it was not sent'));
      return;
    }
    this.#unanswered.delete(index);
    this.#results.push(
      outcome.$case === 'classification'
        ? { ok: true, id, index, item, classification: toClassification(outcome.value) }
        : { ok: false, id, index, item, error: fromStatus(outcome.value, this.#options.requestId) },
    );
  }

  #settle(): void {
    if (this.#callError !== undefined) {
      void this.#stop(fromServiceError(this.#callError, this.#options.requestId));
    } else if (this.#sourceEnded && this.#unanswered.size === 0) {
      void this.#stop();
    } else {
      void this.#stop(brokenStream('The server ended the stream before it had answered every input'));
    }
  }

  readonly #abort = (): void => {
    const { signal } = this.#options;
    if (signal === undefined) return;
    this.#results.clear();
    void this.#stop(cancelled(signal));
  };

  /** Ends everything, once: the results, the call, the source. */
  async #stop(...failure: [] | [error: unknown]): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    this.#options.signal?.removeEventListener('abort', this.#abort);
    this.#results.end(failure.length === 0 ? undefined : { error: failure[0] });
    this.#unanswered.clear();
    // Does nothing to a call that has ended.
    this.#call?.cancel();
    await this.#feed?.stop();
  }
}

/** A text is an iterable too, of its characters: nobody means that. */
function isSource(source: unknown): boolean {
  return (
    typeof source === 'object' &&
    source !== null &&
    (Symbol.asyncIterator in source || Symbol.iterator in source)
  );
}

function brokenStream(message: string): VerdictClientError {
  return new VerdictClientError('INTERNAL', message, { ...NO_DETAILS, reason: 'STREAM_BROKEN' });
}
