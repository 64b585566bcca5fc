import { Registry } from 'prom-client';
import type { ModelView } from '../models/types.js';
import type { GpuReading } from '../runtime/types.js';
import { BatchMetrics } from './batch-metrics.js';
import { CacheTelemetry } from './cache-telemetry.js';
import { CounterFamily } from './counter-family.js';
import { edgeGauges } from './edge-metrics.js';
import { gpuMetrics } from './gpu-metrics.js';
import { InferenceMetrics } from './inference-metrics.js';
import { LineLimiter } from './line-limiter.js';
import { modelMetrics } from './model-metrics.js';
import { processMetrics } from './process-metrics.js';
import { RedisTelemetry } from './redis-telemetry.js';
import { type RpcMethod, RpcTelemetry } from './rpc-telemetry.js';
import { SessionTelemetry } from './session-telemetry.js';
import type { EdgeReading, Log, ModelTelemetry, Telemetry } from './types.js';

const redisErrorLineIntervalMs = 10_000;
const cacheLineIntervalMs = 10_000;
const itemLineIntervalMs = 1_000;
const sampleIntervalMs = 1_000;

export interface TelemetryOptions {
  readonly log: Log;
  /** Log lines lost because nobody read them in time; read at scrape. */
  readonly droppedLines: () => number;
  /** Version of the package. */
  readonly version: string;
  /** Every method on the gRPC port; calls of others count as `unknown`. */
  readonly methods: readonly RpcMethod[];
  readonly redisConfigured: boolean;
  /** Wait for a session that counts as full use of it. */
  readonly latencyObjectiveMs: number;
  /** How often the event-loop delay is sampled. */
  readonly eventLoopResolutionMs: number;
  /** A monotonic clock in milliseconds. */
  readonly now?: () => number;
}

/** Metrics in a registry of their own, and log lines, behind the hooks of every part. */
export function createTelemetry(options: TelemetryOptions): Telemetry {
  const {
    log,
    version,
    methods,
    redisConfigured,
    latencyObjectiveMs,
    eventLoopResolutionMs,
    now = () => performance.now(),
  } = options;
  const registry = new Registry();
  const inference = new InferenceMetrics(registry);
  const rpc = new RpcTelemetry({
    registry,
    log,
    methods,
    itemLines: new LineLimiter(itemLineIntervalMs, now),
  });
  const batches = new BatchMetrics(registry);
  const sessions = new SessionTelemetry({ registry, log, now, latencyObjectiveMs });
  const cache = new CacheTelemetry({ registry, log, limiter: new LineLimiter(cacheLineIntervalMs, now) });
  const limiter = new LineLimiter(redisErrorLineIntervalMs, now);
  const redis = new RedisTelemetry({ registry, log, limiter, configured: redisConfigured });
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

  const models = new Map<string, ModelTelemetry>();
  const timer = setInterval(() => sessions.sample(), sampleIntervalMs).unref();
  return {
    rpc,
    classifier: inference,
    cache,
    redis,
    model(name) {
      let model = models.get(name);
      if (model === undefined) {
        inference.add(name);
        const { hooks, watchBusy } = sessions.add(name);
        model = { batcher: batches.hooks(name), runtime: hooks, watchBusy };
        models.set(name, model);
      }
      return model;
    },
    watchModels(list) {
      listModels = list;
    },
    watchEdge(read) {
      readEdge = read;
    },
    watchGpus(list) {
      listGpus = list;
    },
    async metrics() {
      return { contentType: registry.contentType, body: await registry.metrics() };
    },
    close() {
      clearInterval(timer);
    },
  };
}
