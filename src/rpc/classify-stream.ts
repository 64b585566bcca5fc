import type { Status } from '../../generated/google/rpc/status.js';
import type {
  ClassifyStreamRequest,
  ClassifyStreamResponse,
} from '../../generated/verdict/v1/classifier_service.js';
import type { ServiceClass } from '../claim.js';
import type { Classification, Classifier } from '../classify/types.js';
import type { MaybePromise } from '../concurrency/maybe-promise.js';
import type { VerdictError } from '../errors.js';
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
import { StreamWindow } from './stream-window.js';
import { defaultsOf, inputRequestFrom, invalidFields, type Violations } from './validation.js';

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

/** One ClassifyStream call. Its window holds the inputs; here they become requests to the classifier, and responses. */
export class ClassifyStream implements CallHandler<ClassifyStreamRequest> {
  readonly #call: Call<ClassifyStreamResponse>;
  readonly #context: StreamContext;
  readonly #window: StreamWindow<StreamInput, Classification>;
  readonly #tally = new StreamTally();
  readonly #serviceClass: ServiceClass;
  #settings: StreamSettings;
  #sendsEnd: boolean;
  #isFirst = true;
  #nextIndex = 0;

  constructor(call: Call<ClassifyStreamResponse>, context: StreamContext) {
    this.#call = call;
    this.#context = context;
    this.#serviceClass = serviceClassOf(call, 'bulk');
    this.#settings = { ...defaultSettings, defaults: defaultsOf(call) };
    // The caller behind a transcoder cannot see the status of the call, so the stream says it.
    this.#sendsEnd = call.metadata(transcodedKey) !== undefined;
    this.#window = new StreamWindow(call, context.window, {
      answered: (input, answer) => {
        input.outcome = { $case: 'classification', value: classificationMessage(answer, call.identity) };
      },
      failed: (input, error) => {
        input.outcome = { $case: 'error', value: call.inputStatus(error) };
      },
      write: (input, onWritten) => {
        this.#tally.add(input.outcome);
        call.send(input, onWritten);
      },
    });
  }

  onMessage(request: ClassifyStreamRequest, bytes: number): void {
    if (!this.#window.received()) return;
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    if (request.settings !== undefined) {
      if (!isFirst) {
        const description = 'may be set on the first message of the stream only';
        this.#window.stop(invalidFields([{ field: 'settings', description }], { reason: 'LATE_SETTINGS' }));
        return;
      }
      const settings = settingsFrom(request.settings);
      this.#settings = { ...settings, defaults: defaultsOf(this.#call, settings.defaults) };
      this.#window.order = settings.order;
      const { model } = settings.defaults;
      // A stream that names none may yet name others in its requests.
      if (model !== '') this.#context.access.check(this.#call.identity, model);
      this.#sendsEnd ||= this.#settings.sendEnd;
    }
    if (request.settings === undefined || !isSettingsOnly(request)) {
      const input = this.#newInput(request);
      this.#window.add(input, bytes, () => this.#classify(request, input));
    }
    this.#window.pump();
  }

  /** The first message may have held the settings, so without it the stream cannot go on; later ones fail alone. */
  onMalformed(error: VerdictError): void {
    if (!this.#window.received()) return;
    if (this.#isFirst) throw error;
    this.#window.add(this.#newInput({ id: '' }), 0, () => {
      throw error;
    });
    this.#window.pump();
  }

  onHalfClose(): void {
    this.#window.halfClose();
  }

  onDrain(error: VerdictError): void {
    this.#window.stop(error);
  }

  /** An error before the first response stays a bare status, which proxies can turn into an HTTP code. */
  beforeEnd(status: Status): void {
    if (!this.#sendsEnd || (status.code !== 0 && this.#tally.answered === 0)) return;
    this.#call.send(this.#tally.endMessage(status), () => {});
  }

  onClose(): void {
    this.#window.close();
    this.#context.onClose();
  }

  #classify(request: ClassifyStreamRequest, input: StreamInput): MaybePromise<Classification> {
    const { classifier, limits, access, limiter } = this.#context;
    const violations: Violations = [];
    if (request.id.length > maxIdChars) {
      violations.push({ field: 'id', description: `must have at most ${maxIdChars} UTF-16 units` });
    }
    const wanted = inputRequestFrom(request, this.#settings.defaults, limits, violations);
    access.check(this.#call.identity, wanted.model);
    const account = accountOf(limiter, this.#call);
    return admitted(account, 1, () => settled(account, () => classifier.classify(wanted, input)));
  }

  #newInput(request: Pick<ClassifyStreamRequest, 'id'>): StreamInput {
    // The contract's index has 32 bits, and a stream may live for weeks.
    const index = this.#nextIndex++ >>> 0;
    const { cacheAccess, inputDeadlineMs } = this.#context;
    const keyspace = cacheAccess.keyspaceOf(this.#call.identity);
    return new StreamInput(this.#call, request, index, this.#serviceClass, keyspace, inputDeadlineMs);
  }
}
