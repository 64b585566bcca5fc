import {
  type Attributes,
  type Context,
  type Link,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { EpochClock } from './epoch-clock.js';

/** What a span is started with. */
export interface SpanStart {
  readonly name: string;
  /** performance.now() milliseconds. */
  readonly startedAt: number;
  /** Undefined: it is the root of a trace of its own. */
  readonly parent: SpanContext | undefined;
  readonly kind?: SpanKind;
  readonly attributes?: Attributes;
  readonly links?: Link[];
}

/** Writes spans whose times are performance.now() milliseconds. */
export class SpanWriter {
  readonly #tracer: Tracer;
  readonly #clock: EpochClock;

  constructor(tracer: Tracer, clock = new EpochClock()) {
    this.#tracer = tracer;
    this.#clock = clock;
  }

  /** To be called when a call begins. */
  adjustClock(): void {
    this.#clock.adjust();
  }

  start({ name, startedAt, parent, kind = SpanKind.INTERNAL, attributes, links }: SpanStart): Span {
    const options = {
      kind,
      startTime: this.#clock.timeOf(startedAt),
      ...(attributes === undefined ? {} : { attributes }),
      ...(links === undefined ? {} : { links }),
    };
    return this.#tracer.startSpan(name, options, contextOf(parent));
  }

  end(span: Span, endedAt: number): void {
    span.end(this.#clock.timeOf(endedAt));
  }

  /** A span that has ended already. */
  whole(start: SpanStart, endedAt: number): Span {
    const span = this.start(start);
    this.end(span, endedAt);
    return span;
  }
}

function contextOf(parent: SpanContext | undefined): Context {
  return parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent);
}
