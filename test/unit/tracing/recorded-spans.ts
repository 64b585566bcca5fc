import {
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { CallHead, HandledCall } from '../../../src/rpc/types.js';
import { SpanWriter } from '../../../src/tracing/span-writer.js';

/** A writer whose spans stay in memory, by the real SDK. */
export function recordedSpans(): { writer: SpanWriter; spans: () => ReadableSpan[] } {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  return { writer: new SpanWriter(provider.getTracer('test')), spans: () => exporter.getFinishedSpans() };
}

/** The head of a Classify call. `followed` gets what the call is told to follow. */
export function callHead(
  fields: Readonly<Record<string, string>>,
  followed: Parameters<CallHead['follow']>[0][] = [],
  name = { service: 'verdict.v1.ClassifierService', method: 'Classify' },
): CallHead {
  const left = new Map(Object.entries(fields));
  return {
    ...name,
    requestId: '1',
    address: '127.0.0.1',
    peer: '127.0.0.1:1',
    tlsIdentity: undefined,
    arrivedAt: performance.now(),
    deadlineAt: Number.POSITIVE_INFINITY,
    signal: new AbortController().signal,
    metadata: (key) => left.get(key),
    takeMetadata: (key) => {
      const value = left.get(key);
      left.delete(key);
      return value;
    },
    identify() {},
    follow: (trace) => followed.push(trace),
    fail() {},
  };
}

/** The end of such a call. */
export function handledCall(code = 'OK'): HandledCall {
  return {
    ...{ service: 'verdict.v1.ClassifierService', method: 'Classify', code, durationMs: 2, requestId: '1' },
    ...{ peer: '127.0.0.1:1', received: 1, sent: 1, cause: undefined },
  };
}
