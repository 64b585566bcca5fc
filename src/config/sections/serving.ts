import * as z from 'zod/mini';
import { choice, int, number, optionalText, text } from '../setting.js';
import {
  address,
  claim,
  httpUrl,
  networks,
  otlpEndpoint,
  otlpHeaders,
  path,
  serviceName,
} from '../text-rules.js';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** The gRPC port and its connections. */
export const server = z.object({
  host: text('host', {
    default: '127.0.0.1',
    rule: address,
    doc: 'Address that the gRPC server listens on. 0.0.0.0 or :: means every interface.',
  }),
  port: int('port', {
    default: 50_051,
    min: 0,
    max: 65_535,
    doc: 'Port of the gRPC server. 0 takes a free one.',
  }),
  maxConnections: int('max-connections', {
    default: 10_000,
    min: 1,
    max: 1_000_000,
    unit: 'connections',
    doc: 'Most connections open at once. Further ones are dropped. The limit is lower if the process may not open that many files.',
  }),
  maxConnectionsPerPeer: int('max-connections-per-peer', {
    default: 1_000,
    min: 1,
    max: 1_000_000,
    unit: 'connections',
    doc: 'Most connections open at once from one address (for IPv6, one /64), and never more than half of maxConnections. Further ones are dropped. Trusted proxies are exempt.',
  }),
  trustedProxies: optionalText('trusted-proxies', {
    defaultText: 'none: the caller is the address of the connection',
    rule: networks,
    doc: 'Addresses or networks of proxies that callers come through, separated by commas. For calls from a trusted proxy, the caller is the last address in x-forwarded-for that is not a trusted proxy.',
  }),
  maxConcurrentStreams: int('max-concurrent-streams', {
    default: 1024,
    min: 1,
    max: 1_000_000,
    unit: 'calls',
    doc: 'Most calls open at once on one connection. Further ones wait in the client.',
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
    doc: 'How long a keepalive ping may go unanswered before the server closes the connection.',
  }),
  maxConnectionAgeMs: int('max-connection-age-ms', {
    default: 30 * 60_000,
    min: 0,
    max: dayMs,
    unit: 'ms',
    doc: 'Age at which the server asks a client to reconnect, so that clients spread over new replicas. 0 means never.',
  }),
  maxConnectionAgeGraceMs: int('max-connection-age-grace-ms', {
    default: 0,
    min: 0,
    max: dayMs,
    unit: 'ms',
    doc: 'How long open calls may continue on a connection that has reached its maximum age. After that they answer what they hold and end with UNAVAILABLE. 0 means as long as they are active: a call ends after 5 minutes without a message.',
  }),
  streamIdleTimeoutMs: int('stream-idle-timeout-ms', {
    default: hourMs,
    min: 0,
    max: dayMs,
    unit: 'ms',
    doc: 'How long a stream may go without a message in either direction before it ends with DEADLINE_EXCEEDED. 0 means no limit. Health Watch has no such limit.',
  }),
  messageTimeoutMs: int('message-timeout-ms', {
    default: 30_000,
    min: 100,
    max: hourMs,
    unit: 'ms',
    doc: 'How long a message may take to arrive, from its first byte to its last. For a unary call, the time counts from the start of the call.',
  }),
  maxHealthWatchers: int('max-health-watchers', {
    default: 1_000,
    min: 1,
    max: 1_000_000,
    unit: 'calls',
    doc: 'Most Health Watch calls open at once. Further ones are refused.',
  }),
  maxHealthWatchersPerPeer: int('max-health-watchers-per-peer', {
    default: 100,
    min: 1,
    max: 1_000_000,
    unit: 'calls',
    doc: 'Most Health Watch calls open at once from one caller.',
  }),
});

/** The HTTP port for callers. */
export const http = z.object({
  listen: choice('http', {
    default: 'on',
    options: ['on', 'off'],
    doc: 'Whether the server takes calls over HTTP/1.1 as well, as JSON and without a proxy. They pass the same keys, limits and queues as calls over gRPC.',
  }),
  host: text('http-host', {
    default: '127.0.0.1',
    rule: address,
    doc: 'Address that the HTTP server listens on.',
  }),
  port: int('http-port', {
    default: 8000,
    min: 0,
    max: 65_535,
    doc: 'Port of the HTTP server. 0 takes a free one.',
  }),
});

/** TLS on all ports. */
export const tls = z.object({
  cert: optionalText('tls-cert', {
    defaultText: 'none: no TLS',
    rule: path,
    doc: "PEM file of the server's certificate, with the intermediate ones after it. Turns TLS on. The server reads it again when it changes, together with the other files of TLS.",
  }),
  key: optionalText('tls-key', {
    defaultText: 'none',
    rule: path,
    doc: 'PEM file of its private key, without a passphrase.',
  }),
  clientCa: optionalText('tls-client-ca', {
    defaultText: 'none: clients need no certificate',
    rule: path,
    doc: 'PEM file of the certificate authorities that sign the certificates of clients. Turns mTLS on.',
  }),
  clientAuth: choice('tls-client-auth', {
    default: 'require',
    options: ['require', 'request'],
    doc: 'With tlsClientCa: whether every client must have a certificate. With request, a client without one gets in, as one without an identity; a bad one is refused in any case.',
  }),
});

/** Who may call. */
export const auth = z.object({
  keysFile: optionalText('api-keys-file', {
    defaultText: 'none: callers need no key',
    rule: path,
    doc: 'YAML file of API keys, which verdict keys new writes. Turns API keys on: every call but health needs one. The server reads the file again when it changes.',
  }),
  jwtIssuer: optionalText('jwt-issuer', {
    defaultText: 'none: no tokens',
    rule: claim,
    doc: 'Issuer of the tokens (JWT) that let callers in, exactly as their claim iss has it. Turns tokens on; with a key file, callers need a key or a token.',
  }),
  jwtAudience: optionalText('jwt-audience', {
    defaultText: 'none',
    rule: claim,
    doc: 'What the claim aud of a token must be, or hold.',
  }),
  jwksUrl: optionalText('jwks-url', {
    defaultText: 'none',
    rule: httpUrl,
    doc: 'Where the issuer publishes its keys (JWKS). https, except on loopback.',
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
    doc: 'Port of the admin server. 0 takes a free one.',
  }),
  tls: choice('admin-tls', {
    default: 'on',
    options: ['on', 'off'],
    doc: 'Whether the admin server uses TLS as well once tlsCert is set. If clients must have certificates, its pages need one too, but for /livez and /readyz. off: plain HTTP, for every client that reaches the port.',
  }),
  docsApiUrl: text('docs-api-url', {
    default: 'http://localhost:8080',
    rule: httpUrl,
    doc: 'Where callers reach the API over HTTP (Envoy). The page at /docs sends its requests there.',
  }),
  eventLoopResolutionMs: int('event-loop-resolution-ms', {
    default: 10,
    min: 1,
    max: 1_000,
    unit: 'ms',
    doc: 'How often the server samples its event-loop delay for the metrics. Each sample wakes the main thread: at 1 ms, sampling takes an idle server 3 % of a core.',
  }),
});

/** What one call may ask for. */
export const limits = z.object({
  maxTextChars: int('max-text-chars', {
    default: 8192,
    min: 1,
    max: 1_000_000,
    unit: 'UTF-16 units',
    doc: 'Longest text that the server accepts. A longer one is refused before it is tokenised.',
  }),
  maxBatchInputs: int('max-batch-inputs', {
    default: 32,
    min: 1,
    max: 4096,
    unit: 'inputs',
    doc: 'Most inputs in one BatchClassify call.',
  }),
  streamWindow: int('stream-window', {
    default: 64,
    min: 1,
    max: 4096,
    unit: 'inputs',
    doc: 'Most inputs of one ClassifyStream call that the server works on at once. At this number it stops reading the stream.',
  }),
  compression: choice('compression', {
    default: 'on',
    options: ['on', 'off'],
    doc: 'Whether the server accepts compressed requests (gzip, deflate). off answers them with UNIMPLEMENTED, over HTTP with 415.',
  }),
  maxCompressionRatio: int('max-compression-ratio', {
    default: 200,
    min: 2,
    max: 1_100,
    unit: 'times',
    doc: 'Highest compression ratio of a message, or of a body over HTTP. Up to 64 KiB, when inflated, are exempt.',
  }),
  maxHeldMib: int('max-held-mib', {
    default: 256,
    min: 8,
    max: 65_536,
    unit: 'MiB',
    doc: 'Memory for what the server holds for all callers: partly received messages, requests waiting for answers, answers not yet read. At most a quarter of the Node.js heap. One connection may hold half of it, one message an eighth. Beyond the limit, the largest and most idle calls are refused.',
  }),
  defaultDeadlineMs: int('default-deadline-ms', {
    default: 30_000,
    min: 1,
    max: hourMs,
    unit: 'ms',
    doc: 'Deadline of a unary or batch call that does not set one, and of each input of a stream.',
  }),
});

/** What one caller may use. */
export const rateLimits = z.object({
  requestsPerMinute: int('requests-per-minute', {
    default: 0,
    min: 0,
    max: 1_000_000_000,
    unit: 'inputs',
    doc: 'Most inputs a minute of one caller: an API key, a client certificate, or an address. A quiet caller may send a whole minute at once. 0 means no limit. A key may have a limit of its own.',
  }),
  tokensPerMinute: int('tokens-per-minute', {
    default: 0,
    min: 0,
    max: 1_000_000_000,
    unit: 'tokens',
    doc: 'Most tokens a minute of one caller, counted when an input is answered: a caller that owes more than a minute of tokens is refused. 0 means no limit.',
  }),
  textsInFlight: int('texts-in-flight', {
    default: 0,
    min: 0,
    max: 1_000_000_000,
    unit: 'inputs',
    doc: 'Most inputs of one caller that this server works on at once. 0 means no limit.',
  }),
  shared: choice('rate-limits-shared', {
    default: 'off',
    options: ['on', 'off'],
    doc: 'on: all servers with the same Redis count inputs and tokens together. While Redis is away, each server counts for itself.',
  }),
});

/** How the process ends. */
export const shutdown = z.object({
  drainTimeoutMs: int('drain-timeout-ms', {
    default: 30_000,
    min: 0,
    max: hourMs,
    unit: 'ms',
    doc: 'Longest time from the stop signal to the end of the process, finished or not.',
  }),
  drainGraceMs: int('drain-grace-ms', {
    default: 3_000,
    min: 0,
    max: hourMs,
    unit: 'ms',
    doc: 'How long after SIGTERM the server still accepts calls while health says NOT_SERVING, so that load balancers can move away. Part of drainTimeoutMs. SIGINT (Ctrl-C) skips it.',
  }),
});

/** What is written to standard output. */
export const log = z.object({
  level: choice('log-level', {
    default: 'info',
    options: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    doc: 'Least severe level to log. info logs one line per call.',
  }),
  traceArrivals: optionalText('trace-arrivals', {
    defaultText: 'nothing is recorded',
    rule: path,
    doc: 'File that records inputs as they arrive, for verdict bench simulate: times, lengths, classes and deadlines, never a text. Each start overwrites it.',
  }),
  traceMaxMib: int('trace-max-mib', {
    default: 256,
    min: 1,
    max: 65_536,
    unit: 'MiB',
    doc: 'Size of the traceArrivals file at which recording ends. An input takes about 120 bytes.',
  }),
  payloadPercent: int('log-payload-percent', {
    default: 0,
    min: 0,
    max: 100,
    unit: '%',
    doc: 'Share of answered inputs whose texts are logged, without what looks like an e-mail address, a link, a long number or a key; at most ten lines a second. 0 logs no text.',
  }),
  payloadChars: int('log-payload-chars', {
    default: 200,
    min: 1,
    max: 10_000,
    unit: 'characters',
    doc: 'Characters of a text that such a line shows.',
  }),
});

/** Traces of calls, for OpenTelemetry. */
export const tracing = z.object({
  exporter: choice('tracing', {
    default: 'off',
    options: ['off', 'grpc', 'http'],
    doc: 'Whether calls are traced, and by which protocol the spans leave: OTLP over gRPC, or over HTTP as protobuf.',
  }),
  endpoint: optionalText('tracing-endpoint', {
    defaultText: 'http://localhost:4317 for grpc, http://localhost:4318 for http',
    rule: otlpEndpoint,
    doc: 'Where the collector is. For http, /v1/traces is added. https means TLS.',
    alias: 'OTEL_EXPORTER_OTLP_ENDPOINT',
  }),
  headers: optionalText('tracing-headers', {
    defaultText: 'none',
    rule: otlpHeaders,
    doc: 'Headers sent with every export. Values are percent-encoded.',
    alias: 'OTEL_EXPORTER_OTLP_HEADERS',
    secret: true,
  }),
  serviceName: optionalText('tracing-service-name', {
    defaultText: 'verdict',
    rule: serviceName,
    doc: 'Name of this service in traces.',
    alias: 'OTEL_SERVICE_NAME',
  }),
  sampleRatio: number('tracing-sample-ratio', {
    default: 0.01,
    min: 0,
    max: 1,
    doc: 'Share of the calls to trace, of those that arrive without a traceparent. 0.01 is one in a hundred.',
  }),
  askedPerMinute: int('tracing-asked-per-minute', {
    default: 600,
    min: 0,
    max: 1_000_000_000,
    unit: 'calls',
    doc: 'Most calls a minute that are traced because their callers say so, with the sampled flag in traceparent. Beyond that, tracingSampleRatio decides. 0: callers have no say.',
  }),
});
