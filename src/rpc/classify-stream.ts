import type { Status } from '../../generated/google/rpc/status.js';
import type {
  ClassifyStreamRequest,
  ClassifyStreamResponse,
} from '../../generated/verdict/v1/classifier_service.js';
import type { ServiceClass } from '../claim.js';
import type { Classification, Classifier } from '../classify/types.js';
import { maxTimerMs } from '../concurrency/max-timer.js';
import { deadlineExceeded, type VerdictError } from '../errors.js';
import type { RateLimiter } from '../ratelimit/rate-limiter.js';
import type { CacheAccess } from './cache-access.js';
import { classificationMessage } from './classification-message.js';
import { serviceClassOf, transcodedKey } from './metadata.js';
import { accountOf, admitted, settled } from './metered.js';
import type { ModelAccess } from './model-access.js';
import type { Call, CallHandler } from './route.js';
import type { RequestLimits } from './server-options.js';
import { maxIdChars, StreamInput } from './stream-input.js';
import { defaultSettings, isSettingsOnly, type StreamSettings, settingsFrom } from './stream-settings.js';
import { StreamTally } from './stream-tally.js';
import { defaultsOf, inputRequestFrom, invalidFields, type Violations } from './validation.js';

/** Bytes of requests that one stream holds at a time, besides the one that goes beyond. */
const maxHeldBytes = 2 ** 20;

/** What every stream of a server is given. */
export interface StreamContext {
  readonly classifier: Classifier;
  readonly limits: RequestLimits;
  readonly access: ModelAccess;
  readonly cacheAccess: CacheAccess;
  /** Undefined: callers have no limits. */
  readonly limiter: RateLimiter | undefined;
  /** Items that a stream holds at a time. */
  readonly window: number;
  /** How long one input may take, from its arrival. */
  readonly inputDeadlineMs: number;
  /** Called once when the stream is over. */
  onClose(): void;
}

/**
 * One ClassifyStream call. An input is held from its arrival until the connection has taken its response, and while
 * the window is full nothing more is read: a caller that does not read its answers is not read from either.
 *
 * An answer that is at hand when the request comes, and that nothing holds back, goes out in the same turn without
 * a promise. All others wait in `#pending`, which keeps the order of the requests: that is the order of writing
 * where the caller wants it, and always the order of the deadlines, so that one timer serves the whole stream.
 */
export class ClassifyStream implements CallHandler<ClassifyStreamRequest> {
  readonly #call: Call<ClassifyStreamResponse>;
  readonly #context: StreamContext;
  readonly #pending = new Set<StreamInput>();
  readonly #tally = new StreamTally();
  readonly #serviceClass: ServiceClass;
  #settings: StreamSettings;
  #sendsEnd: boolean;
  #isFirst = true;
  #nextIndex = 0;
  #held = 0;
  /** Bytes of the requests that wait for their answers. */
  #heldBytes = 0;
  /** False once the caller has half-closed, or the stream has been stopped. */
  #reading = true;
  #readRequested = true;
  #pumping = false;
  /** What the call ends with once the held inputs are answered. */
  #stopError: VerdictError | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(call: Call<ClassifyStreamResponse>, context: StreamContext) {
    this.#call = call;
    this.#context = context;
    this.#serviceClass = serviceClassOf(call, 'bulk');
    this.#settings = { ...defaultSettings, defaults: defaultsOf(call) };
    // The caller behind a transcoder cannot see the status of the call, so the stream says it.
    this.#sendsEnd = call.metadata(transcodedKey) !== undefined;
  }

  onMessage(request: ClassifyStreamRequest, bytes: number): void {
    this.#readRequested = false;
    if (!this.#reading) return;
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    if (request.settings !== undefined) {
      if (!isFirst) {
        const description = 'may be set on the first message of the stream only';
        this.#stop(invalidFields([{ field: 'settings', description }], { reason: 'LATE_SETTINGS' }));
        return;
      }
      const settings = settingsFrom(request.settings);
      this.#settings = { ...settings, defaults: defaultsOf(this.#call, settings.defaults) };
      const { model } = settings.defaults;
      // A stream that names none may yet name others in its requests.
      if (model !== '') this.#context.access.check(this.#call.identity, model);
      this.#sendsEnd ||= this.#settings.sendEnd;
    }
    if (request.settings === undefined || !isSettingsOnly(request)) this.#accept(request, bytes);
    this.#pump();
  }

  /** The first message may have held the settings, so without it the stream cannot go on; later ones fail alone. */
  onMalformed(error: VerdictError): void {
    this.#readRequested = false;
    if (!this.#reading) return;
    if (this.#isFirst) throw error;
    this.#answer(this.#newInput({ id: '' }), this.#failure(error));
    this.#pump();
  }

  onHalfClose(): void {
    this.#reading = false;
    this.#endIfDone();
  }

  onDrain(error: VerdictError): void {
    this.#stop(error);
  }

  /** An error before the first response stays a bare status, which proxies can turn into an HTTP code. */
  beforeEnd(status: Status): void {
    if (!this.#sendsEnd || (status.code !== 0 && this.#tally.answered === 0)) return;
    this.#call.send(this.#tally.endMessage(status), this.#onWritten);
  }

  onClose(): void {
    clearTimeout(this.#timer);
    this.#pending.clear();
    this.#context.onClose();
  }

  #accept(request: ClassifyStreamRequest, bytes: number): void {
    const { classifier, limits, access, limiter } = this.#context;
    const input = this.#newInput(request);
    try {
      const violations: Violations = [];
      if (request.id.length > maxIdChars) {
        violations.push({ field: 'id', description: `must have at most ${maxIdChars} UTF-16 units` });
      }
      const wanted = inputRequestFrom(request, this.#settings.defaults, limits, violations);
      access.check(this.#call.identity, wanted.model);
      const account = accountOf(limiter, this.#call);
      const answer = admitted(account, 1, () => settled(account, () => classifier.classify(wanted, input)));
      if (answer instanceof Promise) this.#await(input, answer, bytes);
      else this.#answer(input, this.#classified(answer));
    } catch (error) {
      this.#answer(input, this.#failure(error));
    }
  }

  #newInput(request: Pick<ClassifyStreamRequest, 'id'>): StreamInput {
    this.#held++;
    // The contract's index has 32 bits, and a stream may live for weeks.
    const index = this.#nextIndex++ >>> 0;
    const { cacheAccess, inputDeadlineMs } = this.#context;
    const keyspace = cacheAccess.keyspaceOf(this.#call.identity);
    return new StreamInput(this.#call, request, index, this.#serviceClass, keyspace, inputDeadlineMs);
  }

  #await(input: StreamInput, answer: Promise<Classification>, bytes: number): void {
    this.#pending.add(input);
    input.heldBytes = bytes;
    this.#heldBytes += bytes;
    if (this.#timer === undefined) this.#arm(input.deadlineAt);
    // May end the call, and with it the timer.
    this.#call.hold(bytes);
    answer.then(
      (value) => this.#settle(input, this.#classified(value)),
      (error: unknown) => this.#settle(input, this.#failure(error)),
    );
  }

  /** An input answered in the turn of its arrival. */
  #answer(input: StreamInput, outcome: ClassifyStreamResponse['outcome']): void {
    input.outcome = outcome;
    if (this.#pending.size > 0 && this.#settings.order === 'request') this.#pending.add(input);
    else this.#write(input);
  }

  /** An input that had to be waited for. Late answers, after its deadline or the end of the call, are dropped. */
  #settle(input: StreamInput, outcome: ClassifyStreamResponse['outcome']): void {
    if (input.outcome !== undefined || !this.#pending.has(input)) return;
    input.outcome = outcome;
    this.#heldBytes -= input.heldBytes;
    this.#call.release(input.heldBytes);
    if (this.#settings.order === 'completion') {
      this.#pending.delete(input);
      this.#write(input);
    } else {
      for (const head of this.#pending) {
        if (head.outcome === undefined) break;
        this.#pending.delete(head);
        this.#write(head);
      }
    }
    this.#endIfDone();
  }

  #write(input: StreamInput): void {
    this.#tally.add(input.outcome);
    this.#call.send(input, this.#onWritten);
  }

  readonly #onWritten = (): void => {
    this.#held--;
    this.#pump();
  };

  /** Reads while there is room. A loop, since a message that lies ready is delivered inside `read`. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.#reading && !this.#readRequested && this.#hasRoom()) {
      this.#readRequested = true;
      this.#call.read();
    }
    this.#pumping = false;
  }

  #hasRoom(): boolean {
    return this.#held < this.#context.window && this.#heldBytes < maxHeldBytes;
  }

  #stop(error: VerdictError): void {
    this.#stopError ??= error;
    this.#reading = false;
    this.#endIfDone();
  }

  #endIfDone(): void {
    if (this.#reading || this.#pending.size > 0) return;
    if (this.#stopError === undefined) this.#call.finish();
    else this.#call.fail(this.#stopError);
  }

  #classified(answer: Classification): ClassifyStreamResponse['outcome'] {
    return { $case: 'classification', value: classificationMessage(answer, this.#call.identity) };
  }

  #failure(error: unknown): ClassifyStreamResponse['outcome'] {
    return { $case: 'error', value: this.#call.inputStatus(error) };
  }

  #arm(deadlineAt: number): void {
    const delayMs = Math.ceil(deadlineAt - performance.now());
    this.#timer = setTimeout(this.#expire, Math.min(Math.max(1, delayMs), maxTimerMs));
  }

  /** The classifier keeps the deadlines of its inputs; this is the net under it, so that no input waits for ever. */
  readonly #expire = (): void => {
    this.#timer = undefined;
    const now = performance.now();
    for (const input of this.#pending) {
      if (input.outcome !== undefined) continue;
      if (input.deadlineAt > now) {
        this.#arm(input.deadlineAt);
        return;
      }
      // At the deadline of the call itself its end tells of all that it holds.
      if (input.deadlineAt < this.#call.deadlineAt) this.#settle(input, this.#failure(deadlineExceeded()));
    }
  };
}
