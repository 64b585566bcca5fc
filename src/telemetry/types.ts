import type { AuthHooks } from '../auth/types.js';
import type { BatcherHooks } from '../batching/types.js';
import type { CacheHooks } from '../cache/types.js';
import type { ClassifierHooks } from '../classify/types.js';
import type { ComparisonHooks } from '../comparison/types.js';
import type { ModelView, OnDemandHooks, ReloadHooks } from '../models/types.js';
import type { RateLimitHooks } from '../ratelimit/types.js';
import type { RedisHooks } from '../redis/types.js';
import type { HandledCall, Interceptor, RpcHooks } from '../rpc/types.js';
import type { GpuReading, RuntimeHooks } from '../runtime/types.js';
import type { TlsHooks } from '../tls/types.js';
import type { TracingHooks } from '../tracing/types.js';

/** Facts of one log line. Never a caller's text, a key or a credential. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Structured log lines by severity. */
export interface Log {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** The access log's line for a call that ended, at severity info. */
  call(call: HandledCall): void;
}

/** What a version's sessions have done so far; read at each scrape and once a second. */
export interface BusyReadings {
  /** Total time that the sessions spent in runs since the start, in milliseconds. */
  busyMs(): number;
  /** Sessions that share that time. */
  instances(): number;
  /** How long an interactive input that arrived now would wait for its run, in milliseconds. */
  predictedWaitMs(): number;
}

/** The labels that distinguish the series of one version. */
export type VersionLabels = Readonly<Record<'model' | 'version', string>>;

/** The labels that distinguish the series of one alias. */
export type AliasLabels = Readonly<Record<'model' | 'alias', string>>;

/** The events of one version of a model. */
export interface VersionTelemetry {
  readonly batcher: BatcherHooks;
  readonly runtime: RuntimeHooks;
  /** Sets where the utilisation is read from; before that it is 0. */
  watchBusy(readings: BusyReadings): void;
  /** Ends its series: the version is gone. */
  close(): void;
}

/** The text format of Prometheus, or OpenMetrics, which has exemplars. */
export type MetricsFormat = 'prometheus' | 'openmetrics';

/** Metrics as Prometheus reads them. */
export interface Exposition {
  readonly contentType: string;
  readonly body: string;
}

/** What callers use at one moment. */
export interface EdgeReading {
  readonly connections: number;
  readonly heldBytes: number;
}

/** The events of all parts, turned into metrics and log lines. */
export interface Telemetry {
  /** Count and log calls. */
  readonly interceptors: readonly Interceptor[];
  readonly rpc: RpcHooks;
  readonly classifier: Required<ClassifierHooks>;
  readonly cache: CacheHooks;
  readonly redis: RedisHooks;
  readonly tls: TlsHooks;
  readonly auth: AuthHooks;
  readonly rateLimits: RateLimitHooks;
  readonly reloads: ReloadHooks;
  readonly comparisons: ComparisonHooks;
  readonly onDemand: OnDemandHooks;
  readonly tracing: TracingHooks;
  /** Creates a version's series, at 0. The same version gives the same object until it is closed. */
  version(of: VersionLabels): VersionTelemetry;
  /** Sets which aliases have series: those of others end. */
  setAliases(aliases: readonly AliasLabels[]): void;
  /** Sets where versions, states and sessions are read from. */
  watchModels(list: () => readonly ModelView[]): void;
  /** Sets where the number of requests that wait for a model to be loaded is read from. */
  watchWaiting(read: () => number): void;
  /** Sets where connections and bytes held for callers are read from. */
  watchEdge(read: () => EdgeReading): void;
  /** Sets where the readings of the GPUs come from. */
  watchGpus(list: () => readonly GpuReading[]): void;
  /** @param format Default: `prometheus` */
  metrics(format?: MetricsFormat): Promise<Exposition>;
  /** Stops the sampling timer. */
  close(): void;
}
