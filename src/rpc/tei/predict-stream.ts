import type { PredictPairRequest, PredictResponse } from '../../../generated/tei/v1/tei.js';
import type { VerdictError } from '../../errors.js';
import type { Call, CallHandler } from '../route.js';
import { StreamWindow, type WindowItem } from '../stream-window.js';
import type { Predictor } from './predictor.js';

/** What every stream of a server is given. */
export interface PredictStreamContext {
  readonly predictor: Predictor;
  /** Requests that a stream holds at a time. */
  readonly window: number;
  /** How long one request may take, from its arrival. */
  readonly requestDeadlineMs: number;
  /** Called once when the stream is over. */
  onClose(): void;
}

/** One request of a stream. */
class StreamedRequest implements WindowItem {
  readonly deadlineAt: number;
  heldBytes = 0;
  /** Undefined until there is one. */
  outcome: { readonly response: PredictResponse } | { readonly error: unknown } | undefined;

  constructor(deadlineAt: number) {
    this.deadlineAt = deadlineAt;
  }

  get isAnswered(): boolean {
    return this.outcome !== undefined;
  }
}

/**
 * One PredictStream or PredictPairStream call. An answer has no place for an error, so a request that fails ends the stream, once what
 * came before it has been answered.
 */
export class PredictStream<Req> implements CallHandler<Req> {
  readonly #call: Call<PredictResponse>;
  readonly #context: PredictStreamContext;
  readonly #asPair: (request: Req) => PredictPairRequest;
  readonly #window: StreamWindow<StreamedRequest, PredictResponse>;

  /** @param asPair a request in the form that has room for a pair */
  constructor(
    call: Call<PredictResponse>,
    context: PredictStreamContext,
    asPair: (request: Req) => PredictPairRequest,
  ) {
    this.#call = call;
    this.#context = context;
    this.#asPair = asPair;
    this.#window = new StreamWindow(call, context.window, {
      answered: (request, response) => {
        request.outcome = { response };
      },
      failed: (request, error) => {
        request.outcome = { error };
      },
      write: ({ outcome }, onWritten) => {
        if (outcome === undefined) return;
        if ('response' in outcome) call.send(outcome.response, onWritten);
        else call.fail(outcome.error);
      },
    });
  }

  onMessage(message: Req, bytes: number): void {
    if (!this.#window.received()) return;
    const { predictor, requestDeadlineMs } = this.#context;
    const deadlineAt = Math.min(this.#call.deadlineAt, performance.now() + requestDeadlineMs);
    this.#window.add(new StreamedRequest(deadlineAt), bytes, () =>
      predictor.predict(this.#asPair(message), this.#call, {
        serviceClass: 'bulk',
        deadlineAt,
        whenFull: 'wait',
      }),
    );
    this.#window.pump();
  }

  onHalfClose(): void {
    this.#window.halfClose();
  }

  onDrain(error: VerdictError): void {
    this.#window.stop(error);
  }

  onClose(): void {
    this.#window.close();
    this.#context.onClose();
  }
}
