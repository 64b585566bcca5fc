import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import {
  BatchSpanProcessor,
  type ReadableSpan,
  type SpanExporter,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace';
import type { TracingHooks } from './types.js';

/** Spans that wait for the collector or are on their way to it. */
const maxHeldSpans = 4096;
const maxExportBatchSize = 512;
/** A trace is to be seen soon after its call. */
const scheduledDelayMillis = 1000;

/**
 * Hands ended spans to the exporter in batches, and counts what becomes of them. Holds so many at most, those under way included,
 * and drops the rest: no call waits for the collector.
 */
export class BoundedExport implements SpanProcessor {
  readonly #batches: BatchSpanProcessor;
  readonly #exporter: SpanExporter;
  readonly #exportTimeoutMillis: number;
  readonly #hooks: TracingHooks;
  #held = 0;

  /** @param exportTimeoutMillis how long the exporter may take to have a batch taken or refused; then its spans are lost */
  constructor(exporter: SpanExporter, exportTimeoutMillis: number, hooks: TracingHooks) {
    this.#exporter = exporter;
    this.#exportTimeoutMillis = exportTimeoutMillis;
    this.#hooks = hooks;
    this.#batches = new BatchSpanProcessor({
      exporter: {
        export: (spans, done) => this.#export(spans, done),
        shutdown: () => exporter.shutdown(),
      },
      maxQueueSize: maxHeldSpans,
      maxExportBatchSize,
      scheduledDelayMillis,
      exportTimeoutMillis,
    });
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    if (this.#held >= maxHeldSpans) {
      this.#hooks.onSpans?.('dropped', 1);
      return;
    }
    this.#held++;
    this.#batches.onEnd(span);
  }

  forceFlush(): Promise<void> {
    return this.#batches.forceFlush();
  }

  shutdown(): Promise<void> {
    return this.#batches.shutdown();
  }

  /**
   * The time limit of the exporters is one of silence: over HTTP an answer that comes byte by byte, and never ends, would keep its
   * spans for ever.
   */
  #export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    let isOver = false;
    const end = (result: ExportResult): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      done(this.#count(spans.length, result));
    };
    const giveUp = (): void => {
      const error = new Error(`the collector did not answer in full within ${this.#exportTimeoutMillis} ms`);
      end({ code: ExportResultCode.FAILED, error });
    };
    const timer = setTimeout(giveUp, this.#exportTimeoutMillis).unref();
    this.#exporter.export(spans, end);
  }

  #count(spans: number, result: ExportResult): ExportResult {
    this.#held -= spans;
    if (result.code === ExportResultCode.SUCCESS) this.#hooks.onSpans?.('exported', spans);
    else {
      this.#hooks.onSpans?.('failed', spans);
      this.#hooks.onExportFailed?.(result.error?.message ?? 'no reason given');
    }
    return result;
  }
}
