import { type Span, type SpanContext, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import {
  ATTR_ERROR_TYPE,
  ATTR_RPC_METHOD,
  ATTR_RPC_STATUS_CODE,
  ATTR_RPC_SYSTEM_NAME,
  RPC_SYSTEM_NAME_VALUE_GRPC,
} from '@opentelemetry/semantic-conventions';
import type { InputTrace } from '../claim.js';
import type { CallHead, CallObserver, CallStage, CallTrace, HandledCall } from '../rpc/types.js';
import { InputSpans } from './input-spans.js';
import type { SpanWriter } from './span-writer.js';

/**
 * The codes that are the server's failure:
 * https://opentelemetry.io/docs/specs/semconv/rpc/grpc/
 */
const failures: ReadonlySet<string> = new Set([
  'UNKNOWN',
  'DEADLINE_EXCEEDED',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
]);

/** What the conventions call a method that the server does not know. */
const otherMethod = '_OTHER';

/** Inputs of one call that are all recorded; after that those whose number is a power of two. */
const firstInputs = 32;

/**
 * The span of one sampled call, and those of its inputs below it. A stream may have any number of inputs, so not all of them are
 * recorded: the first 32, then the 64th, the 128th and so on, which makes 59 of four thousand million.
 */
export class CallSpans implements CallTrace, CallObserver {
  readonly #writer: SpanWriter;
  readonly #span: Span;
  readonly #context: SpanContext;
  readonly #arrivedAt: number;
  #inputs = 0;
  /** The number of the next input that is recorded, after the first ones. */
  #nextRecorded = 2 * firstInputs;

  /** @param parent the caller's span; undefined: the call begins a trace */
  constructor(writer: SpanWriter, call: CallHead, parent: SpanContext | undefined) {
    const isKnown = call.service !== 'unknown';
    const method = isKnown ? `${call.service}/${call.method}` : otherMethod;
    this.#writer = writer;
    this.#arrivedAt = call.arrivedAt;
    this.#span = writer.start({
      name: isKnown ? method : RPC_SYSTEM_NAME_VALUE_GRPC,
      startedAt: call.arrivedAt,
      parent,
      kind: SpanKind.SERVER,
      attributes: { [ATTR_RPC_SYSTEM_NAME]: RPC_SYSTEM_NAME_VALUE_GRPC, [ATTR_RPC_METHOD]: method },
    });
    this.#context = this.#span.spanContext();
  }

  get traceId(): string {
    return this.#context.traceId;
  }

  get spanId(): string {
    return this.#context.spanId;
  }

  stage(name: CallStage, startedAt: number, endedAt: number): void {
    this.#writer.whole({ name, startedAt, parent: this.#context }, endedAt);
  }

  input(): InputTrace | undefined {
    this.#inputs++;
    if (this.#inputs > firstInputs) {
      if (this.#inputs < this.#nextRecorded) return undefined;
      this.#nextRecorded *= 2;
    }
    return new InputSpans(this.#writer, this.#context, performance.now());
  }

  onEnd({ code, durationMs, received, sent }: HandledCall): void {
    this.#span.setAttributes({
      [ATTR_RPC_STATUS_CODE]: code,
      'verdict.messages.received': received,
      'verdict.messages.sent': sent,
    });
    if (this.#inputs > 0) this.#span.setAttribute('verdict.inputs', this.#inputs);
    if (failures.has(code)) {
      this.#span.setAttribute(ATTR_ERROR_TYPE, code);
      this.#span.setStatus({ code: SpanStatusCode.ERROR });
    }
    this.#writer.end(this.#span, this.#arrivedAt + durationMs);
  }
}
