import type { BatcherHooks } from '../batching/types.js';
import type { CacheHooks } from '../cache/types.js';
import type { ClassifierHooks } from '../classify/types.js';
import type { ModelView } from '../models/types.js';
import type { RedisHooks } from '../redis/types.js';
import type { HandledCall, RpcHooks } from '../rpc/types.js';
import type { GpuReading, RuntimeHooks } from '../runtime/types.js';

/** Facts of one log line. Never a caller's text, a key or a credential. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Structured log lines by severity. */
export interface Log {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** The access log's line, of severity info, for a call that ended. */
  call(call: HandledCall): void;
}

/** What a model's sessions have done so far; read at each scrape and once a second. */
export interface BusyReadings {
  /** Time that the sessions spent in runs since the start, added up, in milliseconds. */
  busyMs(): number;
  /** Sessions that share that time. */
  instances(): number;
  /** How long an interactive input that came now would wait for its run, in milliseconds. */
  predictedWaitMs(): number;
}

/** The events of one model. */
export interface ModelTelemetry {
  readonly batcher: BatcherHooks;
  readonly runtime: RuntimeHooks;
  /** Says where the utilisation is read; before that it is 0. */
  watchBusy(readings: BusyReadings): void;
}

/** Metrics as Prometheus reads them. */
export interface Exposition {
  readonly contentType: string;
  readonly body: string;
}

/** What callers take up at one moment. */
export interface EdgeReading {
  readonly connections: number;
  readonly heldBytes: number;
}

/** The events of all parts, turned into metrics and log lines. */
export interface Telemetry {
  readonly rpc: RpcHooks;
  readonly classifier: ClassifierHooks;
  readonly cache: CacheHooks;
  readonly redis: RedisHooks;
  /** Makes a model known: its series exist from then on. The same name gives the same object. */
  model(name: string): ModelTelemetry;
  /** Says where versions, states and instances are read. */
  watchModels(list: () => readonly ModelView[]): void;
  /** Says where the connections and what is held for callers are read. */
  watchEdge(read: () => EdgeReading): void;
  /** Says where the figures of the GPUs are read. */
  watchGpus(list: () => readonly GpuReading[]): void;
  metrics(): Promise<Exposition>;
  /** Stops the sampling timer. */
  close(): void;
}
