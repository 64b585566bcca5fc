import type { CacheSharing } from '../auth/cache-sharing.js';
import type { Classifier, Forgetter } from '../classify/types.js';
import type { ComparisonCatalog } from '../comparison/types.js';
import type { ModelCatalog, ModelLoads, ModelReloads, RoutingChanges } from '../models/types.js';
import type { RateLimiter } from '../ratelimit/rate-limiter.js';
import type { StatisticsReader } from '../statistics/types.js';
import { CacheAccess } from './cache-access.js';
import { cacheRoutes } from './cache-service.js';
import { classifierRoutes } from './classifier-service.js';
import { ModelAccess } from './model-access.js';
import { modelRoutes } from './model-service.js';
import { openInferenceRoutes } from './open-inference/routes.js';
import { OpenStreams } from './open-streams.js';
import type { AnyRoute } from './route.js';
import type { RpcServerOptions } from './server-options.js';
import type { RpcHooks } from './types.js';

export interface ServiceParts {
  readonly classifier: Classifier;
  readonly catalog: ModelCatalog;
  readonly reloads: ModelReloads;
  readonly loads: ModelLoads;
  readonly routing: RoutingChanges;
  readonly statistics: StatisticsReader;
  readonly comparisons: ComparisonCatalog;
  readonly forgetter: Forgetter;
  /** Whose cached answers callers get of which nothing else is said. */
  readonly cacheSharing: CacheSharing;
  /** Undefined: callers have no limits. */
  readonly limiter?: RateLimiter | undefined;
  /** The model of requests that name none. */
  readonly defaultModel: string;
  /** Of the server. */
  readonly version: string;
  readonly options: Pick<
    RpcServerOptions,
    'maxTextChars' | 'maxBatchInputs' | 'streamWindow' | 'defaultDeadlineMs'
  >;
  readonly hooks: Pick<RpcHooks, 'onStreamsInFlight'>;
}

/** The services of this server, but for health and reflection, which every server has. */
export function serviceRoutes({
  classifier,
  catalog,
  reloads,
  loads,
  routing,
  statistics,
  comparisons,
  forgetter,
  cacheSharing,
  limiter,
  defaultModel,
  version,
  options,
  hooks,
}: ServiceParts): AnyRoute[] {
  const access = new ModelAccess(defaultModel);
  const cacheAccess = new CacheAccess(cacheSharing);
  const streams = new OpenStreams((count) => hooks.onStreamsInFlight?.(count));
  return [
    ...classifierRoutes({
      classifier,
      limits: options,
      access,
      cacheAccess,
      limiter,
      streamWindow: options.streamWindow,
      defaultDeadlineMs: options.defaultDeadlineMs,
      streams,
    }),
    ...modelRoutes({ catalog, reloads, loads, routing, statistics, comparisons, access, limits: options }),
    ...cacheRoutes(forgetter, access, options),
    ...openInferenceRoutes({
      ...{ classifier, access, cacheAccess, limiter, catalog, loads, reloads, version, streams },
      limits: options,
      streamWindow: options.streamWindow,
      defaultDeadlineMs: options.defaultDeadlineMs,
    }),
  ];
}
