import * as z from 'zod/mini';
import { choice, int, optionalText, text } from '../knob.js';
import { address, httpUrl, networks, path } from '../text-rules.js';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** The gRPC port and its connections. */
export const server = z.object({
  host: text('host', {
    default: '127.0.0.1',
    rule: address,
    doc: 'Address that the gRPC server listens on; 0.0.0.0 or :: for every interface.',
  }),
  port: int('port', {
    default: 50_051,
    min: 0,
    max: 65_535,
    doc: 'Port of the gRPC server; 0 takes a free one.',
  }),
  maxConnections: int('max-connections', {
    default: 10_000,
    min: 1,
    max: 1_000_000,
    unit: 'connections',
    doc: 'Connections open at once; further ones are dropped. Fewer where the process may not open so many files beside those that it needs itself.',
  }),
  maxConnectionsPerPeer: int('max-connections-per-peer', {
    default: 1_000,
    min: 1,
    max: 1_000_000,
    unit: 'connections',
    doc: 'Connections open at once from one address (of IPv6: one /64), and never more than half of all; further ones are dropped. Trusted proxies are not held to it.',
  }),
  trustedProxies: optionalText('trusted-proxies', {
    defaultText: 'none: the address of the connection is the caller',
    rule: networks,
    doc: 'Proxies that callers come through, by address or network, with commas between them. In the calls of these, x-forwarded-for says who calls: its last address that is no trusted proxy.',
  }),
  maxConcurrentStreams: int('max-concurrent-streams', {
    default: 1024,
    min: 1,
    max: 1_000_000,
    unit: 'calls',
    doc: 'Calls open at once on one connection; further ones wait in the client.',
  }),
  keepaliveTimeMs: int('keepalive-time-ms', {
    default: 60_000,
    min: 1_000,
    max: dayMs,
    unit: 'ms',
    doc: 'Time without traffic after which the server pings a connection to see whether it is alive.',
  }),
  keepaliveTimeoutMs: int('keepalive-timeout-ms', {
    default: 20_000,
    min: 100,
    max: hourMs,
    unit: 'ms',
    doc: 'How long such a ping may go unanswered before the connection is closed.',
  }),
  maxConnectionAgeMs: int('max-connection-age-ms', {
    default: 30 * 60_000,
    min: 0,
    max: dayMs,
    unit: 'ms',
    doc: 'Age at which a connection is asked to reconnect, so that clients spread over new replicas; 0 never.',
  }),
  maxConnectionAgeGraceMs: int('max-connection-age-grace-ms', {
    default: 0,
    min: 0,
    max: dayMs,
    unit: 'ms',
    doc: 'How long the calls open on a connection that reached its age may go on; then they answer what they hold and end with UNAVAILABLE. 0: as long as they are at work; one without a message for 5 minutes ends.',
  }),
  streamIdleTimeoutMs: int('stream-idle-timeout-ms', {
    default: hourMs,
    min: 0,
    max: dayMs,
    unit: 'ms',
    doc: 'How long a stream may be without a message in either direction before it ends with DEADLINE_EXCEEDED; 0 for ever. Health Watch has no such limit.',
  }),
  messageTimeoutMs: int('message-timeout-ms', {
    default: 30_000,
    min: 100,
    max: hourMs,
    unit: 'ms',
    doc: 'How long a message may take from its first byte to its last, and the request of a unary call from the start of the call.',
  }),
  maxHealthWatchers: int('max-health-watchers', {
    default: 1_000,
    min: 1,
    max: 1_000_000,
    unit: 'calls',
    doc: 'Health Watch calls open at once; further ones are refused.',
  }),
  maxHealthWatchersPerPeer: int('max-health-watchers-per-peer', {
    default: 100,
    min: 1,
    max: 1_000_000,
    unit: 'calls',
    doc: 'Of these, from one caller.',
  }),
});

/** The HTTP port for operators. */
export const admin = z.object({
  host: text('admin-host', {
    default: '127.0.0.1',
    rule: address,
    doc: 'Address that the admin server (/livez, /readyz, /metrics, /docs) listens on.',
  }),
  port: int('admin-port', {
    default: 9464,
    min: 0,
    max: 65_535,
    doc: 'Port of the admin server; 0 takes a free one.',
  }),
  docsApiUrl: text('docs-api-url', {
    default: 'http://localhost:8080',
    rule: httpUrl,
    doc: 'Where callers reach the API over HTTP (Envoy); the page at /docs sends its requests there.',
  }),
  eventLoopResolutionMs: int('event-loop-resolution-ms', {
    default: 10,
    min: 1,
    max: 1_000,
    unit: 'ms',
    doc: 'How often the event-loop delay of the metrics is sampled. Each sample wakes the main thread: at 1 ms an idle server uses 3 % of a core for it.',
  }),
});

/** What one call may ask for. */
export const limits = z.object({
  maxTextChars: int('max-text-chars', {
    default: 8192,
    min: 1,
    max: 1_000_000,
    unit: 'UTF-16 units',
    doc: 'Longest text that is accepted; a longer one is refused before it is tokenised.',
  }),
  maxBatchInputs: int('max-batch-inputs', {
    default: 32,
    min: 1,
    max: 4096,
    unit: 'inputs',
    doc: 'Inputs that one BatchClassify call may hold.',
  }),
  streamWindow: int('stream-window', {
    default: 64,
    min: 1,
    max: 4096,
    unit: 'inputs',
    doc: 'Inputs of one ClassifyStream call that are worked on at once; reading pauses above it.',
  }),
  compression: choice('compression', {
    default: 'on',
    options: ['on', 'off'],
    doc: 'Whether compressed requests (gzip, deflate) are taken; off answers them with UNIMPLEMENTED.',
  }),
  maxCompressionRatio: int('max-compression-ratio', {
    default: 200,
    min: 2,
    max: 1_100,
    unit: 'times',
    doc: 'How much a compressed message may grow when it is inflated; up to 64 KiB any may.',
  }),
  maxHeldMib: int('max-held-mib', {
    default: 256,
    min: 8,
    max: 65_536,
    unit: 'MiB',
    doc: 'What the server holds for all callers together, in both directions: messages that have arrived in part, requests that wait for their answers, answers not yet taken. At most a quarter of the heap of Node. One connection has half of it, one message an eighth. Beyond it the largest and idlest calls are refused.',
  }),
  defaultDeadlineMs: int('default-deadline-ms', {
    default: 30_000,
    min: 1,
    max: hourMs,
    unit: 'ms',
    doc: 'Deadline of a unary or batch call that sets none, and of each input of a stream.',
  }),
});

/** How the process ends. */
export const shutdown = z.object({
  drainTimeoutMs: int('drain-timeout-ms', {
    default: 30_000,
    min: 0,
    max: hourMs,
    unit: 'ms',
    doc: 'How long after the stop signal the process ends at the latest, finished or not.',
  }),
  drainGraceMs: int('drain-grace-ms', {
    default: 3_000,
    min: 0,
    max: hourMs,
    unit: 'ms',
    doc: 'The part of it, after SIGTERM, in which the server still takes calls while health says NOT_SERVING, so that balancers can move away; SIGINT (Ctrl-C) skips it.',
  }),
});

/** What is written to standard output. */
export const log = z.object({
  level: choice('log-level', {
    default: 'info',
    options: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    doc: 'Least severe level that is logged; info has one line per call.',
  }),
  traceArrivals: optionalText('trace-arrivals', {
    defaultText: 'nothing is recorded',
    rule: path,
    doc: 'File to record the arrivals at the batchers in (times, lengths, classes, deadlines; never a text), for verdict bench simulate; overwritten at each start.',
  }),
  traceMaxMib: int('trace-max-mib', {
    default: 256,
    min: 1,
    max: 65_536,
    unit: 'MiB',
    doc: 'Size of that file at which recording ends; an arrival takes about 120 bytes.',
  }),
});
