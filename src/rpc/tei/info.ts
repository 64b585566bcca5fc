import { type InfoResponse, ModelType } from '../../../generated/tei/v1/tei.js';
import type { ModelView } from '../../models/types.js';
import type { RequestLimits } from '../server-options.js';

export interface InfoFacts {
  /** Of the server. */
  readonly version: string;
  readonly streamWindow: number;
  readonly limits: RequestLimits;
}

/** What text-embeddings-inference tells of a server, of one whose default model is this. */
export function infoOf(view: ModelView, { version, streamWindow, limits }: InfoFacts): InfoResponse {
  const serving = view.versions.find((one) => one.version === view.servingVersion);
  return {
    version,
    sha: undefined,
    dockerLabel: undefined,
    modelId: view.name,
    modelSha: serving?.digest,
    modelDtype: serving?.precision === 'fp32' ? 'float32' : (serving?.precision ?? ''),
    modelType: ModelType.CLASSIFIER,
    maxConcurrentRequests: streamWindow,
    maxInputLength: serving?.maxTokens ?? 0,
    maxBatchTokens: serving?.batchBudgetTokens ?? 0,
    maxBatchRequests: undefined,
    maxClientBatchSize: limits.maxBatchInputs,
    // Models share them, so their number says nothing about this one.
    tokenizationWorkers: 0,
  };
}
