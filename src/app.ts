import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { AdminServer } from './admin/admin-server.js';
import { apiDocsPages } from './admin/api-docs.js';
import { checkPort, namingPlace } from './app/check-port.js';
import { connectionOptions, inboundOptions } from './app/edge-options.js';
import { gateOf } from './app/gate.js';
import { inputHooks } from './app/input-hooks.js';
import { metricsGuard } from './app/metrics-guard.js';
import { openAuthenticator } from './app/open-authenticator.js';
import { openComparisons } from './app/open-comparisons.js';
import { openCredentials } from './app/open-credentials.js';
import { dividedRoom, openHttpServer } from './app/open-http-server.js';
import { openRateLimiter } from './app/open-rate-limiter.js';
import { openResultCache } from './app/open-result-cache.js';
import { openTracing } from './app/open-tracing.js';
import { readinessOf } from './app/readiness.js';
import { ServedModels } from './app/served-models.js';
import { warnOfLittleRoom, warnOfStrangers } from './app/start-warnings.js';
import { ClassifierPipeline } from './classify/classifier-pipeline.js';
import { InputForgetter } from './classify/input-forgetter.js';
import type { Classifier } from './classify/types.js';
import { isLoopback } from './config/loopback.js';
import { pinnedModels } from './config/pinned-models.js';
import { settingName } from './config/setting-name.js';
import type { Config } from './config.js';
import { roomForConnections } from './descriptor-limit.js';
import { systemTrouble } from './errors/system-trouble.js';
import { Lifecycle, type StopReport } from './lifecycle.js';
import { ModelRegistry } from './models/model-registry.js';
import type { ModelVersion } from './models/model-version.js';
import { AdministrationAudit } from './rpc/administration-audit.js';
import { serviceRoutes } from './rpc/routes.js';
import { RpcServer } from './rpc/server.js';
import { GpuMonitor } from './runtime/gpu-monitor.js';
import { ModelStatistics } from './statistics/model-statistics.js';
import { ArrivalTrace } from './telemetry/arrival-trace.js';
import { createTelemetry } from './telemetry/create-telemetry.js';
import type { Logger } from './telemetry/logger.js';
import { PayloadLog } from './telemetry/payload-log.js';
import type { HandshakeFailure, TlsPort } from './tls/types.js';
import { TokenizerPool } from './tokenizer/tokenizer-pool.js';
import type { TextInput } from './tokenizer/types.js';

const GPU_MONITOR = { intervalMs: 5_000, timeoutMs: 5_000 };

const descriptorSetPath = fileURLToPath(new URL('../../generated/descriptor.binpb', import.meta.url));
const openapiPath = fileURLToPath(new URL('../../generated/openapi.json', import.meta.url));

/** Where the service listens. */
export interface Ports {
  readonly port: number;
  /** Undefined: it takes no calls over HTTP. */
  readonly httpPort: number | undefined;
  readonly adminPort: number;
}

/** The assembled service. */
export interface App {
  /** Loads the models and listens. @throws StartError */
  start(): Promise<Ports>;
  /** Answers what is held and ends. @param balancerGrace whether to wait for balancers to turn away first */
  stop(balancerGrace: boolean): Promise<StopReport>;
  /** Reads the models folder again, in the background. While the server starts, after that. */
  reloadModels(): void;
  /** Ends at once. */
  force(): Promise<StopReport>;
}

/** Constructs and connects every part. With the parts of it in `app/`, the only place that does. */
export async function createApp(config: Config, version: string, log: Logger): Promise<App> {
  const telemetry = createTelemetry({
    log,
    droppedLines: () => log.droppedLines(),
    version,
    redisConfigured: config.redis.url !== undefined,
    latencyObjectiveMs: config.batching.latencyObjectiveMs,
    eventLoopResolutionMs: config.admin.eventLoopResolutionMs,
  });
  const credentials = await openCredentials(config.tls, telemetry.tls);
  const tlsOn = (port: TlsPort) =>
    credentials && {
      credentials,
      clientAuth: config.tls.clientAuth,
      onFailed: (reason: HandshakeFailure) => telemetry.tls.onHandshakeFailed?.(port, reason),
    };
  const auth = await openAuthenticator(config.auth, telemetry.auth);
  warnOfStrangers(config, log);
  const trace = openTrace(config.log);
  const tracing = await openTracing(config.tracing, version, telemetry.tracing);
  const results = await openResultCache(config, telemetry);
  const statistics = new ModelStatistics();
  const pinned = pinnedModels(config.models);
  const registry = new ModelRegistry<ModelVersion<TextInput>>(
    config.models.default,
    ({ name, version }) => {
      telemetry.version({ model: name, version }).close();
      statistics.forget(name, version);
    },
    (model) => pinned.has(model),
  );
  const tokenizers = new TokenizerPool({
    workers: config.tokenizer.workers,
    testIntervalMs: config.runtime.selfTestIntervalMs,
    hooks: {
      onThreadLost: (reason) => log.error({ reason }, 'a tokeniser thread was lost and replaced'),
      onAvailability: () => registry.changed(),
    },
  });
  telemetry.watchModels(() => registry.list());
  registry.onChange(() => telemetry.setAliases(registry.aliases));
  const gpus = new GpuMonitor({
    ...GPU_MONITOR,
    onUnavailable: (reason) => log.warn({ reason }, 'GPU memory and utilisation are not exported'),
  });
  telemetry.watchGpus(() => gpus.readings);
  const comparisons = openComparisons({
    ...{ config, registry, cache: results.cache, hooks: telemetry.comparisons },
    rollbacks: () => models.routing,
  });
  const models = new ServedModels({
    ...{
      warmUps: comparisons.warmUps,
      config,
      registry,
      tokenizers,
      gpus,
      telemetry,
      statistics,
      trace,
      tracing,
      log,
    },
    onReloaded: () => {
      try {
        limitConnections(dividedRoom(roomForCallers(config, registry), http));
      } catch (error) {
        // What is open stays: it is no reason to stop serving.
        log.warn({ error: String(error) }, 'the models leave hardly any open files for callers');
      }
    },
  });
  const descriptorSet = await readFile(descriptorSetPath);
  const rpc = new RpcServer({
    routes: serviceRoutes({
      classifier: withPayloadLog(
        new ClassifierPipeline(
          models.onDemand,
          results.cache,
          inputHooks(telemetry.classifier, statistics, tracing?.classifier),
          comparisons.live,
        ),
        config.log,
        log,
      ),
      catalog: registry,
      reloads: models,
      routing: models.routing,
      statistics,
      comparisons: comparisons.live,
      loads: models.onDemand,
      forgetter: new InputForgetter({
        models: {
          answering: (model) => [
            ...registry.requested.answering(model),
            ...(comparisons.warmUps?.versions(model) ?? []),
          ],
        },
        recent: comparisons.recent,
        cache: results.cache,
        callers: () => auth?.authenticator.names() ?? [],
        othersExpireSeconds: results.expireSeconds,
      }),
      cacheSharing: config.cache.sharing,
      limiter: openRateLimiter(config, results.redis, telemetry.rateLimits),
      defaultModel: config.models.default,
      version,
      options: config.limits,
      hooks: telemetry.rpc,
    }),
    catalog: registry,
    descriptorSet,
    options: {
      ...config.limits,
      host: config.server.host,
      port: config.server.port,
      connection: connectionOptions(config.server),
      inbound: inboundOptions(config),
      tls: tlsOn('grpc'),
      maxWatchers: config.server.maxHealthWatchers,
      maxWatchersPerPeer: config.server.maxHealthWatchersPerPeer,
    },
    interceptors: [
      ...telemetry.interceptors,
      gateOf(auth?.authenticator, config.server),
      new AdministrationAudit(telemetry.rpc),
      // Whom nobody knows cannot ask for traces.
      ...(tracing === undefined ? [] : [tracing.interceptor]),
    ],
    hooks: telemetry.rpc,
  });
  const http = openHttpServer(config, {
    catalog: registry,
    rpc,
    descriptorSet,
    version,
    tls: tlsOn('http'),
    hooks: telemetry.rpc,
  });
  const limitConnections = (room: ReturnType<typeof dividedRoom>): void => {
    rpc.limitConnections(room.grpc);
    http?.limitConnections(room.http);
  };
  telemetry.watchEdge(() => ({
    connections: rpc.connections + (http?.connections ?? 0),
    heldBytes: rpc.heldBytes,
  }));
  const admin = new AdminServer({
    ...config.admin,
    tls: config.admin.tls === 'on' ? tlsOn('admin') : undefined,
    ...(auth !== undefined && !isLoopback(config.admin.host)
      ? { guards: metricsGuard(auth.authenticator) }
      : {}),
    readiness: () => readinessOf({ isListening, models: registry.readiness() }),
    metrics: (format) => telemetry.metrics(format),
    pages: apiDocsPages({ path: openapiPath, apiUrl: config.admin.docsApiUrl, ...config.limits }),
    onError: (error) => log.error({ error: String(error) }, 'an admin page failed'),
  });
  const ports: { -readonly [P in keyof Ports]: Ports[P] } = { port: 0, httpPort: undefined, adminPort: 0 };
  let isListening = false;
  const places = {
    rpc: { ...config.server, hostSetting: 'VERDICT_HOST', portSetting: 'VERDICT_PORT' },
    http: { ...config.http, hostSetting: 'VERDICT_HTTP_HOST', portSetting: 'VERDICT_HTTP_PORT' },
    admin: { ...config.admin, hostSetting: 'VERDICT_ADMIN_HOST', portSetting: 'VERDICT_ADMIN_PORT' },
  };
  let balancerGraceMs = 0;

  const lifecycle = new Lifecycle({
    stopTimeoutMs: config.shutdown.drainTimeoutMs,
    steps: [
      {
        name: 'telemetry',
        stop: async (signal) => {
          await tracing?.close(signal);
          telemetry.close();
          await trace?.close();
        },
      },
      {
        name: 'certificates',
        start: () => credentials?.start(),
        stop: () => credentials?.close(),
      },
      {
        name: 'authentication',
        start: () => auth?.start(),
        stop: () => auth?.stop(),
      },
      {
        name: 'admin server',
        start: async () => {
          ports.adminPort = await namingPlace(places.admin, () => admin.start());
        },
        stop: (signal) => admin.close(signal),
      },
      { name: 'gRPC server', start: () => checkPort(places.rpc) },
      ...(http === undefined ? [] : [{ name: 'HTTP server', start: () => checkPort(places.http) }]),
      {
        name: 'Redis connection',
        start: () => results.start(),
        stop: () => results.stop(),
      },
      { name: 'tokeniser', stop: () => tokenizers.close() },
      { name: 'GPU monitor', stop: () => gpus.close() },
      {
        name: 'models',
        start: (signal) => models.start(signal),
        stop: (signal) => models.close(signal),
      },
      {
        name: 'gRPC server',
        start: async () => {
          const room = roomForCallers(config, registry);
          warnOfLittleRoom(room, config, log);
          const { grpc } = dividedRoom(room, http);
          ports.port = (await namingPlace(places.rpc, () => rpc.start(grpc))).port;
          isListening = http === undefined;
        },
        stop: async (signal) => {
          await Promise.all([http?.close(signal), rpc.drain(signal)]);
          await rpc.close();
        },
      },
      ...(http === undefined
        ? []
        : [
            {
              name: 'HTTP server',
              start: async () => {
                const room = dividedRoom(roomForCallers(config, registry), http);
                ports.httpPort = await namingPlace(places.http, () => http.start(room.http));
                isListening = true;
              },
            },
          ]),
      {
        name: 'announcement to balancers',
        stop: async (signal) => {
          registry.drain();
          rpc.beginDrain();
          http?.beginDrain();
          await delay(balancerGraceMs, undefined, { signal }).catch(() => {});
        },
      },
      { name: 'comparisons of versions', stop: () => comparisons.live.stop() },
      {
        name: 'reloads of models',
        start: () => models.startReloads(),
        stop: () => models.stopReloads(),
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
    reloadModels: () => void models.reloadAll(),
    force: () => lifecycle.force(),
  };
}

/** Texts reach the log on request alone, and nobody should have to find out. */
function withPayloadLog(
  classifier: Classifier,
  { payloadPercent: percent, payloadChars: maxChars }: Config['log'],
  log: Logger,
): Classifier {
  if (percent === 0) return classifier;
  log.warn(
    { percent, max_chars: maxChars },
    `texts are logged, redacted: ${settingName('log.payloadPercent')} is set`,
  );
  return new PayloadLog(classifier, log, { percent, maxChars });
}

/** @throws Error that names the setting where the file cannot be written */
function openTrace({ traceArrivals: path, traceMaxMib }: Config['log']): ArrivalTrace | undefined {
  if (path === undefined) return undefined;
  try {
    return new ArrivalTrace({ path, maxBytes: traceMaxMib * 2 ** 20 });
  } catch (error) {
    const name = settingName('log.traceArrivals');
    throw new Error(`${name} is ${path}: it cannot be written: ${systemTrouble(error)}`, { cause: error });
  }
}

/**
 * How many connections there may be beside everything else that needs open files.
 * @throws Error where their limit leaves no room for callers
 */
function roomForCallers({ tokenizer }: Config, registry: ModelRegistry<ModelVersion<TextInput>>): number {
  const instances = registry.list().flatMap(({ versions }) => versions.map((version) => version.instances));
  return roomForConnections({
    tokenizerThreads: tokenizer.workers,
    sessions: instances.reduce((sum, count) => sum + count, 0),
    reloadSessions: Math.max(1, ...instances),
  });
}
