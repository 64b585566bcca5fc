import { Truncation as WireTruncation } from '../../generated/verdict/v1/classification.js';
import {
  type Model as WireModel,
  type ModelVersion as WireModelVersion,
  ProblemType as WireProblemType,
  ModelState as WireState,
} from '../../generated/verdict/v1/model_service.js';
import type { CostCurve, Model, ModelLimits, ModelState, ModelVersion, ProblemType } from './model-types.js';
import type { Truncation } from './types.js';

const STATES = {
  [WireState.UNSPECIFIED]: 'unknown',
  [WireState.LOADING]: 'loading',
  [WireState.SERVING]: 'serving',
  [WireState.DRAINING]: 'draining',
  [WireState.FAILED]: 'failed',
  [WireState.UNRECOGNIZED]: 'unknown',
} as const satisfies Record<WireState, ModelState>;

const PROBLEM_TYPES = {
  [WireProblemType.UNSPECIFIED]: 'unknown',
  [WireProblemType.SINGLE_LABEL]: 'single_label_classification',
  [WireProblemType.MULTI_LABEL]: 'multi_label_classification',
  [WireProblemType.REGRESSION]: 'regression',
  [WireProblemType.UNRECOGNIZED]: 'unknown',
} as const satisfies Record<WireProblemType, ProblemType>;

const TRUNCATIONS = {
  [WireTruncation.UNSPECIFIED]: undefined,
  [WireTruncation.END]: 'end',
  [WireTruncation.START]: 'start',
  [WireTruncation.REJECT]: 'reject',
  [WireTruncation.UNRECOGNIZED]: undefined,
} as const satisfies Record<WireTruncation, Truncation | undefined>;

const NO_LIMITS: ModelLimits = { maxTokens: 0, maxTextChars: 0, maxBatchInputs: 0, batchBudgetTokens: 0 };
const NO_COST: CostCurve = { baseMs: 0, msPerToken: 0, msPerTokenSquared: 0, samples: [] };

export function toModel(message: WireModel): Model {
  return { ...message, versions: message.versions.map(toModelVersion) };
}

function toModelVersion(message: WireModelVersion): ModelVersion {
  return {
    ...message,
    state: STATES[message.state] ?? 'unknown',
    problemType: PROBLEM_TYPES[message.problemType] ?? 'unknown',
    defaultTruncation: TRUNCATIONS[message.defaultTruncation],
    limits: message.limits ?? NO_LIMITS,
    cost: message.cost ?? NO_COST,
  };
}
