import type { Registry } from 'prom-client';
import type { CallObserver, HandledCall, Interceptor, RpcMethod } from '../rpc/types.js';
import { callSeconds } from './buckets.js';
import { CounterFamily, type CounterSeries, type Labels } from './counter-family.js';
import { HistogramFamily, type ObservedSpan } from './histogram-family.js';

/** The canonical gRPC codes, in the order of their numbers. */
const codes = [
  ...['OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND', 'ALREADY_EXISTS'],
  ...['PERMISSION_DENIED', 'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION', 'ABORTED', 'OUT_OF_RANGE'],
  ...['UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS', 'UNAUTHENTICATED'],
];

/** The series of one method, which all of its calls share. */
interface MethodSeries extends CallObserver {
  readonly started: CounterSeries;
}

/** Counts calls under the names that gRPC dashboards know. */
export class CallMetrics implements Interceptor {
  readonly #services = new Map<string, Map<string, MethodSeries>>();
  readonly #unknown: MethodSeries;
  readonly #started: CounterFamily;
  readonly #handled: CounterFamily;
  readonly #seconds: HistogramFamily;

  constructor(registry: Registry) {
    const names = ['grpc_service', 'grpc_method'];
    this.#started = new CounterFamily(registry, 'grpc_server_started_total', names, 'Calls started.');
    this.#handled = new CounterFamily(
      registry,
      'grpc_server_handled_total',
      [...names, 'grpc_code'],
      'Calls completed, by gRPC code.',
    );
    this.#seconds = new HistogramFamily(
      registry,
      'grpc_server_handling_seconds',
      names,
      callSeconds,
      'Duration of a call, from start to end; for a stream, its whole lifetime.',
    );
    this.#unknown = this.#series({ grpc_service: 'unknown', grpc_method: 'unknown' });
  }

  /** Every method has its series from the start, so that rates work from the first scrape. */
  prepare(methods: readonly RpcMethod[]): void {
    for (const { service, method } of methods) {
      const ofService = this.#services.get(service) ?? new Map<string, MethodSeries>();
      this.#services.set(service, ofService);
      ofService.set(method, this.#series({ grpc_service: service, grpc_method: method }));
    }
  }

  intercept({ service, method }: RpcMethod): CallObserver {
    const series = this.#services.get(service)?.get(method) ?? this.#unknown;
    series.started.add();
    return series;
  }

  #series(labels: Labels): MethodSeries {
    const handled: Readonly<Record<string, CounterSeries>> = this.#handled.byValue(
      'grpc_code',
      codes,
      labels,
    );
    const seconds = this.#seconds.series(labels);
    return {
      started: this.#started.series(labels),
      onEnd({ code, durationMs, trace }) {
        (handled[code] ?? handled.UNKNOWN)?.add();
        seconds.observe(durationMs / 1000, observedSpan(trace));
      },
    };
  }
}

function observedSpan(trace: HandledCall['trace']): ObservedSpan | undefined {
  if (trace?.spanId === undefined) return undefined;
  return { traceId: trace.traceId, spanId: trace.spanId };
}
