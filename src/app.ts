import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { AdminServer } from './admin/admin-server.js';
import { apiDocsPages } from './admin/api-docs.js';
import { CacheKeyer } from './cache/key.js';
import { LruStore } from './cache/lru-store.js';
import { RedisStore, type RedisStoreOptions } from './cache/redis-store.js';
import { TieredResultCache } from './cache/tiered-result-cache.js';
import { ClassifierPipeline } from './classify/classifier-pipeline.js';
import { maxTimerMs } from './concurrency/max-timer.js';
import { Serial } from './concurrency/serial.js';
import type { Config } from './config.js';
import { Lifecycle, type StopReport } from './lifecycle.js';
import { loadModels } from './models/load-models.js';
import { ModelLoader } from './models/model-loader.js';
import { ModelRegistry } from './models/model-registry.js';
import { findModels, type ModelLocation, requireModel } from './models/repository.js';
import { type VerifyReport, verifyModelDirectory } from './models/verify.js';
import type { RedisConnection } from './redis/redis-connection.js';
import type { RedisHooks } from './redis/types.js';
import { rpcMethods } from './rpc/methods.js';
import { RpcServer } from './rpc/server.js';
import type { ConnectionOptions } from './rpc/server-options.js';
import { decideDevice } from './runtime/decide-device.js';
import { GpuMonitor } from './runtime/gpu-monitor.js';
import { probeCuda } from './runtime/probe-cuda.js';
import { ArrivalTrace } from './telemetry/arrival-trace.js';
import { createTelemetry } from './telemetry/create-telemetry.js';
import type { Logger } from './telemetry/logger.js';
import { TokenizerPool } from './tokenizer/tokenizer-pool.js';

const OPEN_TIMEOUT_MS = 120_000;
const CUDA_PROBE_TIMEOUT_MS = 30_000;
const GPU_MONITOR = { intervalMs: 5_000, timeoutMs: 5_000 };
const CALIBRATION_TIME_MS = 150;
/** How long inputs wait for a replacement once a model has lost its last runtime process. */
const NO_RUNNER_GRACE_MS = 10_000;
const BACKOFF = { initialMs: 100, maxMs: 10_000, stableMs: 30_000 };

const descriptorSetPath = fileURLToPath(new URL('../../generated/descriptor.binpb', import.meta.url));
const openapiPath = fileURLToPath(new URL('../../generated/openapi.json', import.meta.url));

/** The assembled service. */
export interface App {
  /** Loads the models and listens. @throws StartError */
  start(): Promise<{ readonly port: number; readonly adminPort: number }>;
  /** Answers what is held and ends. @param balancerGrace whether to wait for balancers to turn away first */
  stop(balancerGrace: boolean): Promise<StopReport>;
  /** Ends at once. */
  force(): Promise<StopReport>;
}

/** Constructs and connects every part. The only place that does. */
export async function createApp(config: Config, version: string, log: Logger): Promise<App> {
  const telemetry = createTelemetry({
    log,
    droppedLines: () => log.droppedLines(),
    version,
    methods: rpcMethods,
    redisConfigured: config.redis.url !== undefined,
    latencyObjectiveMs: config.batching.latencyObjectiveMs,
    eventLoopResolutionMs: config.admin.eventLoopResolutionMs,
  });
  const trace = openTrace(config.log);
  const redis = await createRedis(config.redis, telemetry.redis);
  const redisStore = redis && new RedisStore(redis, redisStoreOptions(config.cache), telemetry.cache);
  const cache = new TieredResultCache(
    {
      lru:
        config.cache.maxBytes > 0
          ? new LruStore({ maxBytes: config.cache.maxBytes }, telemetry.cache)
          : undefined,
      redis: redisStore,
    },
    telemetry.cache,
  );
  const tokenizers = new TokenizerPool({
    workers: config.tokenizer.workers,
    hooks: { onThreadLost: (reason) => log.error({ reason }, 'a tokeniser thread was lost and replaced') },
  });
  const registry = new ModelRegistry(config.models.default);
  telemetry.watchModels(() => registry.list());
  const gpus = new GpuMonitor({
    ...GPU_MONITOR,
    onUnavailable: (reason) => log.warn({ reason }, 'GPU memory and utilisation are not exported'),
  });
  telemetry.watchGpus(() => gpus.readings);
  const rpc = new RpcServer({
    classifier: new ClassifierPipeline(registry, cache, telemetry.classifier),
    catalog: registry,
    descriptorSet: await readFile(descriptorSetPath),
    options: {
      ...config.limits,
      host: config.server.host,
      port: config.server.port,
      connection: connectionOptions(config.server),
    },
    hooks: telemetry.rpc,
  });
  const admin = new AdminServer({
    ...config.admin,
    readiness: () => registry.readiness(),
    metrics: () => telemetry.metrics(),
    pages: apiDocsPages({ path: openapiPath, apiUrl: config.admin.docsApiUrl, ...config.limits }),
    onError: (error) => log.error({ error: String(error) }, 'an admin page failed'),
  });
  const ports = { port: 0, adminPort: 0 };
  let balancerGraceMs = 0;

  const startModels = async (signal: AbortSignal) => {
    const { device, fallbackReason } = await decideDevice(config.runtime.device, () =>
      probeCuda({ deviceId: config.runtime.deviceId, timeoutMs: CUDA_PROBE_TIMEOUT_MS, signal }),
    );
    if (fallbackReason !== undefined) log.info({ device, reason: fallbackReason }, 'serving on the CPU');
    if (device === 'cuda') gpus.start();
    const loader = new ModelLoader(
      {
        sessions: {
          ...config.runtime,
          device,
          openTimeoutMs: OPEN_TIMEOUT_MS,
          backoff: BACKOFF,
        },
        batching: {
          ...config.batching,
          maxBatchItems: config.batching.maxItems,
          noRunnerGraceMs: NO_RUNNER_GRACE_MS,
        },
        calibrationTimeMs: CALIBRATION_TIME_MS,
      },
      {
        loadTokenizer: (manifest) => tokenizers.load(manifest),
        cacheKeys: (digest) => new CacheKeyer(digest),
        hooks: (model) => {
          const { batcher, runtime } = telemetry.model(model);
          return {
            batcher: trace === undefined ? batcher : { ...batcher, onArrival: trace.hook(model) },
            runtime,
          };
        },
        oneAtATime: new Serial().run,
      },
      {
        onUnchecked: (model) =>
          log.warn({ model }, 'no golden.json: nothing shows that its answers are right'),
        onPrecisionRefused: (refusal) => log.warn({ ...refusal }, 'a precision was refused'),
        onSplitRefused: (refusal) => log.warn({ ...refusal }, 'the model keeps its one session'),
        onGoldenCheck: ({ model, precision, report }) =>
          log.debug({ model, precision, ...report }, 'golden answers compared'),
      },
    );
    const locations = await findModels(config.models.dir);
    requireModel(locations, config.models.default, config.models.dir);
    const load = async (location: ModelLocation, giveUp: AbortSignal) => {
      const model = await loader.load(location, () => registry.changed(), giveUp);
      const { batcher } = model;
      telemetry.model(model.name).watchBusy({
        busyMs: () => batcher.busyMs,
        instances: () => batcher.runners,
        predictedWaitMs: () => batcher.predictedWaitMs('interactive'),
      });
      registry.add(model);
      const { version, precision, device, batchBudgetTokens } = model.view;
      log.info({ model: model.name, version, precision, device, batchBudgetTokens }, 'model serves');
    };
    try {
      await loadModels(locations, load, signal);
    } catch (error) {
      // A step that did not start is not stopped: the models that did load are ended here.
      await registry.close(AbortSignal.abort());
      throw error;
    }
  };

  const lifecycle = new Lifecycle({
    stopTimeoutMs: config.shutdown.drainTimeoutMs,
    steps: [
      {
        name: 'telemetry',
        stop: async () => {
          telemetry.close();
          await trace?.close();
        },
      },
      {
        name: 'admin server',
        start: async () => {
          ports.adminPort = await admin.start();
        },
        stop: (signal) => admin.close(signal),
      },
      {
        name: 'Redis connection',
        start: () => redis?.start(),
        stop: async () => {
          await redisStore?.drain();
          await redis?.close();
        },
      },
      { name: 'tokeniser', stop: () => tokenizers.close() },
      { name: 'GPU monitor', stop: () => gpus.close() },
      { name: 'models', start: startModels, stop: (signal) => registry.close(signal) },
      {
        name: 'gRPC server',
        start: async () => {
          ports.port = (await rpc.start()).port;
        },
        stop: async (signal) => {
          await rpc.drain(signal);
          await rpc.close();
        },
      },
      {
        name: 'announcement to balancers',
        stop: async (signal) => {
          registry.drain();
          rpc.beginDrain();
          await delay(balancerGraceMs, undefined, { signal }).catch(() => {});
        },
      },
    ],
  });
  return {
    start: async () => {
      await lifecycle.start();
      return ports;
    },
    stop: (balancerGrace) => {
      balancerGraceMs = balancerGrace ? config.shutdown.drainGraceMs : 0;
      return lifecycle.stop();
    },
    force: () => lifecycle.force(),
  };
}

async function createRedis(redis: Config['redis'], hooks: RedisHooks): Promise<RedisConnection | undefined> {
  const { url, caFile, ...options } = redis;
  if (url === undefined) return undefined;
  // Loaded here alone: its client costs a tenth of a second and some megabytes of every start.
  const { RedisConnection } = await import('./redis/redis-connection.js');
  const ca = caFile === undefined ? undefined : await readFile(caFile, 'utf8');
  return new RedisConnection({ ...options, url, ca }, hooks);
}

/** @throws the file system's error where the file cannot be written */
function openTrace({ traceArrivals: path, traceMaxMib }: Config['log']): ArrivalTrace | undefined {
  return path === undefined ? undefined : new ArrivalTrace({ path, maxBytes: traceMaxMib * 2 ** 20 });
}

function redisStoreOptions({ keyPrefix, ttlSeconds }: Config['cache']): RedisStoreOptions {
  return { keyPrefix, ttlMs: ttlSeconds * 1000 };
}

/** Zero means never; grpc-js leaves out what is not there. */
function connectionOptions(server: Config['server']): ConnectionOptions {
  return {
    ...server,
    maxConnectionAgeMs: server.maxConnectionAgeMs || maxTimerMs,
    maxConnectionAgeGraceMs: server.maxConnectionAgeGraceMs || maxTimerMs,
  };
}

/** Checks a model version's folder without a server, as `verdict models verify` does. */
export async function verifyModel(directory: string): Promise<VerifyReport> {
  const tokenizers = new TokenizerPool({ workers: 1 });
  try {
    return await verifyModelDirectory(directory, {
      loadTokenizer: (manifest) => tokenizers.load(manifest),
      intraOpThreads: availableParallelism(),
    });
  } finally {
    await tokenizers.close();
  }
}
