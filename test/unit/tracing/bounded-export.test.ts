import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { type ReadableSpan, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace';
import { BoundedExport } from '../../../src/tracing/bounded-export.js';
import { until } from '../../support/until.js';

const taken = { code: ExportResultCode.SUCCESS };

/** An exporter that takes its time until the test gives its word. */
class HeldExporter implements SpanExporter {
  readonly batches: { readonly spans: number; readonly done: (result: ExportResult) => void }[] = [];
  #isLetGo = false;

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.batches.push({ spans: spans.length, done });
    if (this.#isLetGo) done(taken);
  }

  /** Takes all that it has, and whatever comes: an export under way would hold the process. */
  letGo(): void {
    this.#isLetGo = true;
    for (const { done } of this.batches) done(taken);
  }

  async shutdown(): Promise<void> {}
}

function setUp(exportTimeoutMillis = 60_000) {
  const exporter = new HeldExporter();
  const counts = { exported: 0, failed: 0, dropped: 0 };
  const troubles: string[] = [];
  const processor = new BoundedExport(exporter, exportTimeoutMillis, {
    onSpans: (outcome, count) => {
      counts[outcome] += count;
    },
    onExportFailed: (trouble) => troubles.push(trouble),
  });
  const tracer = new TracerProvider({ spanProcessors: [processor] }).getTracer('test');
  const end = (spans: number) => {
    for (let made = 0; made < spans; made++) tracer.startSpan('s').end();
  };
  return { exporter, processor, counts, troubles, end };
}

describe('the export of spans', () => {
  it('holds 4096 at most, those under way included, and drops the rest', async () => {
    const { exporter, processor, counts, end } = setUp();
    end(5000);
    assert.deepEqual(counts, { exported: 0, failed: 0, dropped: 904 });
    assert.deepEqual(
      exporter.batches.map(({ spans }) => spans),
      [512],
    );
    exporter.batches[0]?.done(taken);
    assert.equal(counts.exported, 512);
    end(600);
    assert.equal(counts.dropped, 904 + 88);
    exporter.letGo();
    await processor.shutdown();
  });

  it('counts what the collector does not take, says why, and goes on', async () => {
    const { exporter, processor, counts, troubles, end } = setUp();
    end(3);
    const flushed = processor.forceFlush();
    exporter.batches[0]?.done({ code: ExportResultCode.FAILED, error: new Error('connection refused') });
    await assert.rejects(flushed);
    assert.deepEqual(counts, { exported: 0, failed: 3, dropped: 0 });
    assert.deepEqual(troubles, ['connection refused']);
    end(2);
    const again = processor.forceFlush();
    exporter.batches[1]?.done(taken);
    await again;
    assert.equal(counts.exported, 2);
  });

  it('gives up an export that takes too long, and holds its spans no more', async () => {
    const { exporter, processor, counts, troubles, end } = setUp(20);
    end(4096);
    await until('the exports are given up', () => counts.failed === 4096);
    assert.match(troubles.join(), /did not answer in full within 20 ms/);
    for (const { done } of exporter.batches) done(taken);
    assert.deepEqual(counts, { exported: 0, failed: 4096, dropped: 0 });
    exporter.letGo();
    end(4096);
    await processor.shutdown();
    assert.deepEqual(counts, { exported: 4096, failed: 4096, dropped: 0 });
  });

  it('sends what is left when it ends', async () => {
    const { exporter, processor, counts, end } = setUp();
    end(700);
    exporter.batches[0]?.done(taken);
    const closed = processor.shutdown();
    await new Promise(setImmediate);
    assert.equal(exporter.batches[1]?.spans, 188);
    exporter.batches[1]?.done(taken);
    await closed;
    assert.equal(counts.exported, 700);
  });
});
