import type { Registry } from 'prom-client';
import type { FailedItem, HandledCall, RefusalReason, RpcHooks, ShedReason } from '../rpc/types.js';
import { callSeconds } from './buckets.js';
import { CounterFamily, type CounterSeries, type Labels } from './counter-family.js';
import { EdgeCounters } from './edge-metrics.js';
import { errorFields } from './error-fields.js';
import { gauge } from './gauge.js';
import { HistogramFamily, type HistogramSeries } from './histogram-family.js';
import type { LineLimiter } from './line-limiter.js';
import type { Log } from './types.js';

/** A method that the server offers. */
export interface RpcMethod {
  readonly service: string;
  readonly method: string;
}

/** The canonical gRPC codes, in the order of their numbers. */
const codes = [
  ...['OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND', 'ALREADY_EXISTS'],
  ...['PERMISSION_DENIED', 'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION', 'ABORTED', 'OUT_OF_RANGE'],
  ...['UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS', 'UNAUTHENTICATED'],
];

interface MethodSeries {
  readonly started: CounterSeries;
  readonly handled: Readonly<Record<string, CounterSeries>>;
  readonly seconds: HistogramSeries;
}

/** Calls on the gRPC port: metrics under the names that gRPC dashboards know, and the access log. */
export class RpcTelemetry implements RpcHooks {
  readonly #services = new Map<string, Map<string, MethodSeries>>();
  readonly #other: MethodSeries;
  readonly #log: Log;
  readonly #itemLines: LineLimiter;
  readonly #edge: EdgeCounters;
  #streamsInFlight = 0;

  /** @param options.itemLines bounds the lines about items that fail: a stream can bring thousands of them a second */
  constructor(options: {
    registry: Registry;
    log: Log;
    methods: readonly RpcMethod[];
    itemLines: LineLimiter;
  }) {
    const { registry, log, methods, itemLines } = options;
    this.#log = log;
    this.#itemLines = itemLines;
    const names = ['grpc_service', 'grpc_method'];
    const started = new CounterFamily(registry, 'grpc_server_started_total', names, 'Calls started.');
    const handled = new CounterFamily(
      registry,
      'grpc_server_handled_total',
      [...names, 'grpc_code'],
      'Calls completed, by gRPC code.',
    );
    const seconds = new HistogramFamily(
      registry,
      'grpc_server_handling_seconds',
      names,
      callSeconds,
      'Duration of a call, from start to end; for a stream, its whole lifetime.',
    );
    const seriesOf = (labels: Labels): MethodSeries => ({
      started: started.series(labels),
      handled: handled.byValue('grpc_code', codes, labels),
      seconds: seconds.series(labels),
    });
    for (const { service, method } of methods) {
      const ofService = this.#services.get(service) ?? new Map<string, MethodSeries>();
      this.#services.set(service, ofService);
      ofService.set(method, seriesOf({ grpc_service: service, grpc_method: method }));
    }
    this.#edge = new EdgeCounters(registry);
    this.#other = seriesOf({ grpc_service: 'unknown', grpc_method: 'unknown' });
    gauge(registry, 'verdict_streams_in_flight', [], 'Open ClassifyStream calls.', () => [
      { value: this.#streamsInFlight },
    ]);
  }

  onCallStarted(call: RpcMethod): void {
    this.#seriesOf(call).started.add();
  }

  onCallHandled(call: HandledCall): void {
    const series = this.#seriesOf(call);
    (series.handled[call.code] ?? series.handled.UNKNOWN)?.add();
    series.seconds.observe(call.durationMs / 1000);
    this.#log.call(call);
    if (call.code === 'INTERNAL' || call.code === 'UNKNOWN') this.#logFailure(call);
  }

  onItemFailed({ requestId, service, method, cause }: FailedItem): void {
    const suppressed = this.#itemLines.pass();
    if (suppressed === undefined) return;
    const fields = { request_id: requestId, service, method, suppressed, error: errorFields(cause) };
    this.#log.error(fields, 'item failed');
  }

  onCallShed(reason: ShedReason): void {
    this.#edge.shed(reason);
  }

  onConnectionRefused(reason: RefusalReason): void {
    this.#edge.refused(reason);
  }

  onStreamsInFlight(count: number): void {
    this.#streamsInFlight = count;
  }

  #logFailure({ requestId, service, method, code, cause }: HandledCall): void {
    const fields = { request_id: requestId, service, method, code, error: errorFields(cause) };
    this.#log.error(fields, 'call failed');
  }

  #seriesOf({ service, method }: RpcMethod): MethodSeries {
    return this.#services.get(service)?.get(method) ?? this.#other;
  }
}
