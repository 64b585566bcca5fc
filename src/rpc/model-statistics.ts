import {
  GetModelStatisticsRequest,
  GetModelStatisticsResponse,
  type StageTime as StageTimeMessage,
  type VersionStatistics as StatisticsMessage,
} from '../../generated/verdict/v1/model_statistics.js';
import { VerdictError } from '../errors.js';
import type { ModelCatalog } from '../models/types.js';
import type { StageTime, StatisticsReader, VersionStatistics } from '../statistics/types.js';
import type { ModelAccess } from './model-access.js';
import { modelServiceName } from './model-routing.js';
import type { Route } from './route.js';
import { smallRequestBytes } from './server-options.js';
import { UnaryCall } from './unary.js';
import { checkNamedModel, checkVersion, refuse, type Violations } from './validation.js';

export interface StatisticsRouteParts {
  readonly catalog: ModelCatalog;
  readonly statistics: StatisticsReader;
  readonly access: ModelAccess;
}

/** The method of ModelService that tells what versions have done. */
export function statisticsRoute({
  catalog,
  statistics,
  access,
}: StatisticsRouteParts): Route<GetModelStatisticsRequest, GetModelStatisticsResponse> {
  return {
    service: modelServiceName,
    method: 'GetModelStatistics',
    shape: 'unary',
    requestType: GetModelStatisticsRequest,
    responseType: GetModelStatisticsResponse,
    maxRequestBytes: smallRequestBytes,
    open: (call) =>
      new UnaryCall(call, ({ model, version }) => {
        const violations: Violations = [];
        checkNamedModel(model, violations);
        checkVersion(version, 'version', violations);
        refuse(violations);
        access.check(call.identity, model);
        const { aliases, versions: views } = catalog.get(model);
        const versions = statistics.of(model);
        const message = (of: VersionStatistics) =>
          statisticsMessage(of, views.find((view) => view.version === of.version)?.memoryBytes ?? 0);
        if (version === '') return { versions: versions.map(message) };
        const meant = aliases.find(({ alias }) => alias === version)?.version ?? version;
        const found = versions.find((one) => one.version === meant);
        if (found === undefined) throw nothingCounted(model, meant);
        return { versions: [message(found)] };
      }),
  };
}

function nothingCounted(model: string, version: string): VerdictError {
  return new VerdictError(
    'not_found',
    `nothing is counted for version ${model}/${version}: it is not loaded`,
    {
      reason: 'VERSION_NOT_FOUND',
      resource: { type: 'version', name: `${model}/${version}` },
    },
  );
}

function statisticsMessage(of: VersionStatistics, memoryBytes: number): StatisticsMessage {
  const { cache, stages, batches } = of;
  return {
    version: of.version,
    since: new Date(of.since),
    lastUsed: of.lastUsed === undefined ? undefined : new Date(of.lastUsed),
    answered: BigInt(of.answered),
    failed: BigInt(of.failed),
    cancelled: BigInt(of.cancelled),
    tokens: BigInt(of.tokens),
    failures: [...of.failures].map(([code, inputs]) => ({
      code: code.toUpperCase(),
      inputs: BigInt(inputs),
    })),
    cache: {
      miss: BigInt(cache.miss),
      lru: BigInt(cache.lru),
      redis: BigInt(cache.redis),
      coalesced: BigInt(cache.coalesced),
      bypassed: BigInt(cache.bypassed),
    },
    stages: {
      tokenize: timeMessage(stages.tokenize),
      queue: timeMessage(stages.queue),
      inference: timeMessage(stages.inference),
      postprocess: timeMessage(stages.postprocess),
      total: timeMessage(stages.total),
    },
    batches: {
      batches: BigInt(batches.batches),
      inputs: BigInt(batches.inputs),
      tokens: BigInt(batches.tokens),
      paddedTokens: BigInt(batches.paddedTokens),
      runMs: batches.runMs,
      sizes: batches.sizes.map(({ atMost, batches: count }) => ({ atMost, batches: BigInt(count) })),
    },
    memoryBytes: BigInt(memoryBytes),
  };
}

function timeMessage({ inputs, totalMs }: StageTime): StageTimeMessage {
  return { inputs: BigInt(inputs), totalMs };
}
