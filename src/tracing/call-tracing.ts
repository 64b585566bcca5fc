import type { CallHead, CallObserver, CallTrace, Interceptor } from '../rpc/types.js';
import { CallSpans } from './call-spans.js';
import type { Sampling } from './sampling.js';
import type { SpanWriter } from './span-writer.js';
import { parentOf, traceparentKey } from './traceparent.js';

/** Its calls come every few seconds and say nothing. */
const healthService = 'grpc.health.v1.Health';

/**
 * Gives each call its trace: the caller's, or a new one if the call is sampled. `tracestate` and `baggage` are not read: this
 * server calls nobody whom it could pass them on to, and what callers write does not reach a trace.
 */
export class CallTracing implements Interceptor {
  readonly metadataKeys = [traceparentKey];
  readonly #writer: SpanWriter;
  readonly #sampling: Sampling;

  constructor(writer: SpanWriter, sampling: Sampling) {
    this.#writer = writer;
    this.#sampling = sampling;
  }

  intercept(call: CallHead): CallObserver | undefined {
    if (call.service === healthService) return undefined;
    // Taken out, so that an open call does not hold it.
    const parent = parentOf(call.takeMetadata(traceparentKey));
    if (this.#sampling.isSampled(parent, call.arrivedAt)) {
      this.#writer.adjustClock();
      const spans = new CallSpans(this.#writer, call, parent);
      call.follow(spans);
      return spans;
    }
    if (parent !== undefined) call.follow(new UnrecordedCall(parent.traceId));
    return undefined;
  }
}

/** A call of which the log says to which trace it belongs, and nothing else is recorded. */
class UnrecordedCall implements CallTrace {
  readonly spanId = undefined;

  constructor(readonly traceId: string) {}

  stage(): void {}

  input(): undefined {
    return undefined;
  }
}
