import {
  type Attributes,
  type Link,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
} from '@opentelemetry/api';
import {
  ATTR_DB_OPERATION_NAME,
  ATTR_DB_SYSTEM_NAME,
  ATTR_ERROR_TYPE,
} from '@opentelemetry/semantic-conventions';
import type { InputStage, InputTrace } from '../claim.js';
import type { ClassifierHooks } from '../classify/types.js';
import { VerdictError } from '../errors.js';
import type { SpanWriter } from './span-writer.js';

type EndedInput = Parameters<NonNullable<ClassifierHooks['onInput']>>[0];

/** How a stage looks beside its name and its times. */
const looks: Readonly<Partial<Record<InputStage, { kind: SpanKind; attributes: Attributes }>>> = {
  redis: {
    kind: SpanKind.CLIENT,
    attributes: { [ATTR_DB_SYSTEM_NAME]: 'redis', [ATTR_DB_OPERATION_NAME]: 'GET' },
  },
};

/** The span of one input, and those of its stages below it. */
export class InputSpans implements InputTrace {
  readonly context: SpanContext;
  readonly #writer: SpanWriter;
  readonly #span: Span;
  /** When the latest run with it ended: it has waited since then only. */
  #ranUntil = 0;

  /** @param call the span of its call */
  constructor(writer: SpanWriter, call: SpanContext, startedAt: number) {
    this.#writer = writer;
    this.#span = writer.start({ name: 'classify', startedAt, parent: call });
    this.context = this.#span.spanContext();
  }

  get traceId(): string {
    return this.context.traceId;
  }

  get spanId(): string {
    return this.context.spanId;
  }

  stage(name: InputStage, startedAt: number, endedAt: number, of?: InputTrace): void {
    if (name === 'queue') this.#wait(startedAt, endedAt);
    else this.#tell(name, startedAt, endedAt, of instanceof InputSpans ? linkTo(of.context) : undefined);
  }

  /** It ran with others, whose batch has a span. */
  ran(batch: SpanContext, queuedAt: number, startedAt: number, endedAt: number): void {
    this.#wait(queuedAt, startedAt);
    this.#tell('run', startedAt, endedAt, linkTo(batch));
    this.#ranUntil = endedAt;
  }

  end({ model, version, outcome, postprocessMs, serviceClass, error }: EndedInput): void {
    const endedAt = performance.now();
    if (outcome !== 'error') this.#tell('score', endedAt - postprocessMs, endedAt);
    this.#span.setAttribute('verdict.class', serviceClass);
    if (model !== '') this.#span.setAttributes({ 'verdict.model': model, 'verdict.version': version });
    if (outcome === 'error') this.#fail(error);
    else this.#span.setAttribute('verdict.cache', outcome);
    this.#writer.end(this.#span, endedAt);
  }

  #fail(error: unknown): void {
    const reason = error instanceof VerdictError ? error.reason : 'INTERNAL';
    this.#span.setAttribute(ATTR_ERROR_TYPE, reason);
    this.#span.setStatus({ code: SpanStatusCode.ERROR });
  }

  #wait(queuedAt: number, until: number): void {
    this.#tell('queue', Math.max(queuedAt, this.#ranUntil), until);
  }

  #tell(name: string, startedAt: number, endedAt: number, links?: Link[]): void {
    const look = looks[name as InputStage];
    const start = {
      name,
      startedAt,
      parent: this.context,
      ...look,
      ...(links === undefined ? {} : { links }),
    };
    this.#writer.whole(start, endedAt);
  }
}

function linkTo(context: SpanContext): Link[] {
  return [{ context }];
}
