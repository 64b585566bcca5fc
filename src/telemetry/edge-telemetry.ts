import type { Registry } from 'prom-client';
import type {
  AdministrativeAct,
  CallRefusal,
  ConnectionEnd,
  FailedInput,
  ProtocolBreach,
  RefusalReason,
  ResetBy,
  ResetCode,
  RpcHooks,
  ShedReason,
} from '../rpc/types.js';
import { CounterFamily, type CounterSeries } from './counter-family.js';
import { errorFields } from './error-fields.js';
import { gauge } from './gauge.js';
import type { LineLimiter } from './line-limiter.js';
import { traceFields } from './trace-fields.js';
import type { EdgeReading, Log } from './types.js';

const shedReasons = ['connection', 'peer', 'process', 'heap'] as const satisfies readonly ShedReason[];
const refusalReasons = ['peer', 'all'] as const satisfies readonly RefusalReason[];

const connectionEnds = [
  'client',
  'tls',
  'silent',
  'protocol',
  'unanswered',
  'age',
  'drain',
] as const satisfies readonly ConnectionEnd[];
const breaches = ['not_http2', 'frame', 'flood', 'goaway'] as const satisfies readonly ProtocolBreach[];
const resetCodes = [
  'cancel',
  'refused_stream',
  'enhance_your_calm',
  'internal_error',
  'protocol_error',
  'other',
] as const satisfies readonly ResetCode[];
const callRefusals = [
  'malformed_message',
  'malformed_timeout',
  'message_timeout',
  'message_too_large',
  'not_a_call',
  'stream_idle',
  'too_many_fields',
  'too_many_watchers',
  'unsupported_compression',
] as const satisfies readonly CallRefusal[];

/** Events on the gRPC port besides calls: connections, resets, failed inputs, limits that were reached, streams. */
export class EdgeTelemetry implements RpcHooks {
  readonly #log: Log;
  readonly #inputLines: LineLimiter;
  readonly #shed: Record<ShedReason, CounterSeries>;
  readonly #refused: Record<RefusalReason, CounterSeries>;
  readonly #opened: CounterSeries;
  readonly #closed: Record<ConnectionEnd, CounterSeries>;
  readonly #breaches: Record<ProtocolBreach, CounterSeries>;
  readonly #resets: Readonly<Record<ResetBy, Record<ResetCode, CounterSeries>>>;
  readonly #callsRefused: Record<CallRefusal, CounterSeries>;
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
    this.#opened = new CounterFamily(
      registry,
      'verdict_connections_opened_total',
      [],
      'Connections let in on the gRPC port.',
    ).series();
    this.#closed = new CounterFamily(
      registry,
      'verdict_connections_closed_total',
      ['reason'],
      'Connections that ended on the gRPC port, by reason: client (it closed the connection, or the connection broke), tls (the handshake failed), silent (no HTTP/2 came in time), protocol (the client broke HTTP/2), unanswered (a ping), age (the maximum age), drain (the server stops).',
    ).byValue('reason', connectionEnds);
    this.#breaches = new CounterFamily(
      registry,
      'verdict_protocol_errors_total',
      ['kind'],
      'Connections on which the client broke HTTP/2, by kind: not_http2 (something else came first), frame (a frame that must not come, or too many resets), flood (too many frames of one kind, or too many wrong ones), goaway (the client says that the server broke it).',
    ).byValue('kind', breaches);
    const resets = new CounterFamily(
      registry,
      'verdict_stream_resets_total',
      ['by', 'code'],
      'Streams of calls that were reset, by who did it (client, server) and code of HTTP/2: cancel, refused_stream, enhance_your_calm, internal_error, protocol_error (with the other codes of broken framing), other. NO_ERROR does not count.',
    );
    this.#resets = {
      client: resets.byValue('code', resetCodes, { by: 'client' }),
      server: resets.byValue('code', resetCodes, { by: 'server' }),
    };
    this.#callsRefused = new CounterFamily(
      registry,
      'verdict_calls_refused_total',
      ['reason'],
      'Calls ended for their form or size, or because they kept the server waiting. The reasons are those of the errors; not_a_call is a request with another method than POST, and over HTTP one that cannot be read or that no path answers.',
    ).byValue('reason', callRefusals);
    gauge(
      registry,
      'verdict_streams_in_flight',
      [],
      'Open streams of inputs: ClassifyStream, ModelStreamInfer.',
      () => [{ value: this.#streamsInFlight }],
    );
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

  onConnectionOpened(): void {
    this.#opened.add();
  }

  onConnectionClosed(end: ConnectionEnd): void {
    this.#closed[end].add();
  }

  onProtocolBreach(breach: ProtocolBreach): void {
    this.#breaches[breach].add();
  }

  onStreamReset(by: ResetBy, code: ResetCode): void {
    this.#resets[by][code].add();
  }

  onCallRefused(refusal: CallRefusal): void {
    this.#callsRefused[refusal].add();
  }

  onStreamsInFlight(count: number): void {
    this.#streamsInFlight = count;
  }
}

/** What callers use now, read at scrape. */
export function edgeGauges(registry: Registry, read: () => EdgeReading): void {
  gauge(registry, 'verdict_connections', [], 'Connections open on the gRPC port and the HTTP port.', () => [
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
