import { randomUUID } from 'node:crypto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { AlwaysOnSampler, TracerProvider } from '@opentelemetry/sdk-trace';
import {
  ATTR_SERVICE_INSTANCE_ID,
  ATTR_SERVICE_NAME,
  ATTR_SERVICE_VERSION,
} from '@opentelemetry/semantic-conventions';
import type { BatcherHooks } from '../batching/types.js';
import type { ClassifierHooks } from '../classify/types.js';
import type { Interceptor } from '../rpc/types.js';
import { BoundedExport } from './bounded-export.js';
import { CallTracing } from './call-tracing.js';
import { createExporter, type ExporterOptions } from './create-exporter.js';
import { InputSpans } from './input-spans.js';
import { tellRun } from './run-spans.js';
import { Sampling, type SamplingOptions } from './sampling.js';
import { SpanWriter } from './span-writer.js';
import type { TracingHooks } from './types.js';

/** How long an export may take, retries included. */
const exportTimeoutMs = 5_000;
/** How long the end of the server waits for the last ones. */
const lastExportsMs = 2_000;

export interface TracingOptions extends SamplingOptions, Omit<ExporterOptions, 'timeoutMs'> {
  readonly serviceName: string;
  /** Version of the package. */
  readonly version: string;
}

/** Writes the traces of calls: through hooks, like metrics. */
export interface Tracing {
  readonly interceptor: Interceptor;
  readonly classifier: Required<ClassifierHooks>;
  /** For the batcher of a version. */
  batcher(of: {
    readonly model: string;
    readonly version: string;
  }): Required<Pick<BatcherHooks, 'onTracedRun'>>;
  /** Exports what is held, for at most two seconds, or until the signal aborts. Never rejects. */
  close(signal: AbortSignal): Promise<void>;
}

export function openTracing(options: TracingOptions, hooks: TracingHooks = {}): Tracing {
  const exporter = createExporter({ ...options, timeoutMs: exportTimeoutMs });
  const provider = new TracerProvider({
    // Whether a call is sampled is decided before the first span of it is made.
    sampler: new AlwaysOnSampler(),
    spanProcessors: [new BoundedExport(exporter, exportTimeoutMs, hooks)],
    resource: resourceFromAttributes({
      [ATTR_SERVICE_NAME]: options.serviceName,
      [ATTR_SERVICE_VERSION]: options.version,
      [ATTR_SERVICE_INSTANCE_ID]: randomUUID(),
    }),
  });
  const writer = new SpanWriter(provider.getTracer('verdict', options.version));
  return {
    interceptor: new CallTracing(writer, new Sampling(options, hooks)),
    classifier: {
      onInput: (input) => {
        if (input.trace instanceof InputSpans) input.trace.end(input);
      },
    },
    batcher: ({ model, version }) => {
      const attributes = { 'verdict.model': model, 'verdict.version': version };
      return { onTracedRun: (run) => tellRun(writer, attributes, run) };
    },
    close: (signal) => settledWithin(provider.shutdown(), lastExportsMs, signal),
  };
}

function settledWithin(work: Promise<unknown>, limitMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, limitMs);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
    // What could not be exported has been counted.
    work.then(done, done);
  });
}
