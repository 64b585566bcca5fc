import type { Registry } from 'prom-client';
import type { AdministrativeAct, FailedInput, RefusalReason, RpcHooks, ShedReason } from '../rpc/types.js';
import { CounterFamily, type CounterSeries } from './counter-family.js';
import { errorFields } from './error-fields.js';
import { gauge } from './gauge.js';
import type { LineLimiter } from './line-limiter.js';
import { traceFields } from './trace-fields.js';
import type { EdgeReading, Log } from './types.js';

const shedReasons = ['connection', 'peer', 'process', 'heap'] as const satisfies readonly ShedReason[];
const refusalReasons = ['peer', 'all'] as const satisfies readonly RefusalReason[];

/** Events on the gRPC port besides calls: failed inputs, limits that were reached, streams. */
export class EdgeTelemetry implements RpcHooks {
  readonly #log: Log;
  readonly #inputLines: LineLimiter;
  readonly #shed: Record<ShedReason, CounterSeries>;
  readonly #refused: Record<RefusalReason, CounterSeries>;
  #streamsInFlight = 0;

  /** @param options.inputLines limits the lines about failed inputs: a stream can have thousands of them a second */
  constructor(options: { registry: Registry; log: Log; inputLines: LineLimiter }) {
    const { registry, log, inputLines } = options;
    this.#log = log;
    this.#inputLines = inputLines;
    const shed = new CounterFamily(
      registry,
      'verdict_calls_shed_total',
      ['limit'],
      'Calls ended because the memory held for callers exceeded a limit: that of the connection, the peer, the process or the heap.',
    );
    this.#shed = shed.byValue('limit', shedReasons);
    const refused = new CounterFamily(
      registry,
      'verdict_connections_refused_total',
      ['limit'],
      'Connections dropped on arrival because a limit was reached: that of their peer, or that of all peers together.',
    );
    this.#refused = refused.byValue('limit', refusalReasons);
    gauge(registry, 'verdict_streams_in_flight', [], 'Open ClassifyStream calls.', () => [
      { value: this.#streamsInFlight },
    ]);
  }

  onInputFailed({ requestId, trace, service, method, cause }: FailedInput): void {
    const suppressed = this.#inputLines.pass();
    if (suppressed === undefined) return;
    const ids = { request_id: requestId, ...traceFields(trace) };
    const fields = { ...ids, service, method, suppressed, error: errorFields(cause) };
    this.#log.error(fields, 'input failed');
  }

  /** A warning, so that it stays where somebody switches off the access log. */
  onAdministered({ requestId, service, method, code, peer, identity, facts }: AdministrativeAct): void {
    const fields = { request_id: requestId, service, method, code, peer, identity, arguments: facts };
    this.#log.warn(fields, 'administration');
  }

  onCallShed(reason: ShedReason): void {
    this.#shed[reason].add();
  }

  onConnectionRefused(reason: RefusalReason): void {
    this.#refused[reason].add();
  }

  onStreamsInFlight(count: number): void {
    this.#streamsInFlight = count;
  }
}

/** What callers use now, read at scrape. */
export function edgeGauges(registry: Registry, read: () => EdgeReading): void {
  gauge(registry, 'verdict_connections', [], 'Connections open on the gRPC port.', () => [
    { value: read().connections },
  ]);
  gauge(
    registry,
    'verdict_held_bytes',
    [],
    'Bytes held for callers: partly received messages, requests waiting for answers, answers not yet read.',
    () => [{ value: read().heldBytes }],
  );
}
