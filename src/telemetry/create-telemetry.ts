import { Registry } from 'prom-client';
import type { ModelView } from '../models/types.js';
import type { GpuReading } from '../runtime/types.js';
import { AliasMetrics } from './alias-metrics.js';
import { AuthTelemetry } from './auth-telemetry.js';
import { BatchMetrics } from './batch-metrics.js';
import { CacheTelemetry } from './cache-telemetry.js';
import { CallLog } from './call-log.js';
import { CallMetrics } from './call-metrics.js';
import { ComparisonTelemetry } from './comparison-telemetry.js';
import { CounterFamily } from './counter-family.js';
import { EdgeTelemetry, edgeGauges } from './edge-telemetry.js';
import { expose } from './exposition.js';
import { gpuMetrics } from './gpu-metrics.js';
import { InferenceMetrics } from './inference-metrics.js';
import { LineLimiter } from './line-limiter.js';
import { modelMetrics } from './model-metrics.js';
import { OnDemandTelemetry } from './on-demand-telemetry.js';
import { processMetrics } from './process-metrics.js';
import { rateLimitMetrics } from './rate-limit-metrics.js';
import { RedisTelemetry } from './redis-telemetry.js';
import { ReloadTelemetry } from './reload-telemetry.js';
import { SessionTelemetry } from './session-telemetry.js';
import { TlsTelemetry } from './tls-telemetry.js';
import { TracingTelemetry } from './tracing-telemetry.js';
import type { EdgeReading, Log, Telemetry, VersionTelemetry } from './types.js';

const redisErrorLineIntervalMs = 10_000;
const cacheLineIntervalMs = 10_000;
const inputLineIntervalMs = 1_000;
const exportLineIntervalMs = 10_000;
const sampleIntervalMs = 1_000;

export interface TelemetryOptions {
  readonly log: Log;
  /** Log lines lost because nobody read them in time; read at scrape. */
  readonly droppedLines: () => number;
  /** Version of the package. */
  readonly version: string;
  readonly redisConfigured: boolean;
  /** The wait for a session at which it counts as fully used. */
  readonly latencyObjectiveMs: number;
  /** How often the event-loop delay is sampled. */
  readonly eventLoopResolutionMs: number;
  /** A monotonic clock in milliseconds. */
  readonly now?: () => number;
}

/** Connects the hooks of every part to metrics, in a separate registry, and to log lines. */
export function createTelemetry(options: TelemetryOptions): Telemetry {
  const {
    log,
    version,
    redisConfigured,
    latencyObjectiveMs,
    eventLoopResolutionMs,
    now = () => performance.now(),
  } = options;
  const registry = new Registry();
  const inference = new InferenceMetrics(registry);
  const aliases = new AliasMetrics(registry);
  const interceptors = [new CallMetrics(registry), new CallLog(log)];
  const rpc = new EdgeTelemetry({
    registry,
    log,
    inputLines: new LineLimiter(inputLineIntervalMs, now),
  });
  const batches = new BatchMetrics(registry);
  const sessions = new SessionTelemetry({ registry, log, now, latencyObjectiveMs });
  const cache = new CacheTelemetry({ registry, log, limiter: new LineLimiter(cacheLineIntervalMs, now) });
  const limiter = new LineLimiter(redisErrorLineIntervalMs, now);
  const redis = new RedisTelemetry({ registry, log, limiter, configured: redisConfigured });
  const tls = new TlsTelemetry({ registry, log });
  const auth = new AuthTelemetry({ registry, log });
  const rateLimits = rateLimitMetrics(registry);
  const reloads = new ReloadTelemetry({ registry, log, now: Date.now });
  const comparisons = new ComparisonTelemetry({ registry, log });
  let waitingForModels = () => 0;
  const onDemand = new OnDemandTelemetry({ registry, log, waiting: () => waitingForModels() });
  const tracing = new TracingTelemetry({
    registry,
    log,
    limiter: new LineLimiter(exportLineIntervalMs, now),
  });
  let listModels: () => readonly ModelView[] = () => [];
  modelMetrics(registry, () => listModels());
  let readEdge: () => EdgeReading = () => ({ connections: 0, heldBytes: 0 });
  edgeGauges(registry, () => readEdge());
  let listGpus: () => readonly GpuReading[] = () => [];
  gpuMetrics(registry, () => listGpus());
  processMetrics(registry, version, eventLoopResolutionMs);
  const droppedLines = new CounterFamily(
    registry,
    'verdict_log_lines_dropped_total',
    [],
    'Log lines lost because nobody read standard output in time.',
    () => {
      dropped.value = options.droppedLines();
    },
  );
  const dropped = droppedLines.series();

  const versions = new Map<string, VersionTelemetry>();
  const timer = setInterval(() => sessions.sample(), sampleIntervalMs).unref();
  return {
    interceptors,
    rpc,
    classifier: {
      onInput(input) {
        inference.onInput(input);
        aliases.onInput(input);
      },
    },
    cache,
    redis,
    tls,
    auth,
    rateLimits,
    reloads,
    comparisons,
    onDemand,
    tracing,
    version(of) {
      const key = `${of.model}/${of.version}`;
      let version = versions.get(key);
      if (version === undefined) {
        inference.add(of);
        const { hooks, watchBusy } = sessions.add(of);
        const close = () => {
          versions.delete(key);
          for (const part of [inference, sessions, batches, comparisons]) part.forget(of);
        };
        version = { batcher: batches.hooks(of), runtime: hooks, watchBusy, close };
        versions.set(key, version);
      }
      return version;
    },
    setAliases: (named) => aliases.set(named),
    watchModels(list) {
      listModels = list;
    },
    watchWaiting(read) {
      waitingForModels = read;
    },
    watchEdge(read) {
      readEdge = read;
    },
    watchGpus(list) {
      listGpus = list;
    },
    metrics: (format = 'prometheus') => expose(registry, format),
    close() {
      clearInterval(timer);
    },
  };
}
