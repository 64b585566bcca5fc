import {
  Activation as WireActivation,
  Truncation as WireTruncation,
} from '../../../generated/verdict/v1/classification.js';
import {
  Batching as WireBatching,
  type VersionComparison as WireComparison,
  type Model as WireModel,
  type ModelReload as WireModelReload,
  type ModelVersion as WireModelVersion,
  ProblemType as WireProblemType,
  ReloadOutcome as WireReloadOutcome,
  RollbackCause as WireRollbackCause,
  type RollbackRule as WireRollbackRule,
  ModelState as WireState,
} from '../../../generated/verdict/v1/model_service.js';
import type { VersionComparison } from './comparison-types.js';
import type {
  Batching,
  CostCurve,
  Model,
  ModelLimits,
  ModelReload,
  ModelState,
  ModelVersion,
  ProblemType,
  ReloadOutcome,
  RollbackCause,
  RollbackRule,
} from './model-types.js';
import type { Activation, Truncation } from './types.js';

const STATES = {
  [WireState.UNSPECIFIED]: 'unknown',
  [WireState.UNLOADED]: 'unloaded',
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

const BATCHINGS = {
  [WireBatching.UNSPECIFIED]: 'unknown',
  [WireBatching.PADDED]: 'padded',
  [WireBatching.EQUAL_LENGTH]: 'equal_length',
  [WireBatching.ONE_AT_A_TIME]: 'one_at_a_time',
  [WireBatching.UNRECOGNIZED]: 'unknown',
} as const satisfies Record<WireBatching, Batching>;

const ACTIVATIONS = {
  [WireActivation.UNSPECIFIED]: undefined,
  [WireActivation.SOFTMAX]: 'softmax',
  [WireActivation.SIGMOID]: 'sigmoid',
  [WireActivation.NONE]: undefined,
  [WireActivation.UNRECOGNIZED]: undefined,
} as const satisfies Record<WireActivation, Activation | undefined>;

const RELOAD_OUTCOMES = {
  [WireReloadOutcome.UNSPECIFIED]: 'unknown',
  [WireReloadOutcome.LOADED]: 'loaded',
  [WireReloadOutcome.UNCHANGED]: 'unchanged',
  [WireReloadOutcome.REMOVED]: 'removed',
  [WireReloadOutcome.FAILED]: 'failed',
  [WireReloadOutcome.RETIRED]: 'retired',
  [WireReloadOutcome.UNRECOGNIZED]: 'unknown',
} as const satisfies Record<WireReloadOutcome, ReloadOutcome>;

const ROLLBACK_CAUSES = {
  [WireRollbackCause.UNSPECIFIED]: 'unknown',
  [WireRollbackCause.ERRORS]: 'errors',
  [WireRollbackCause.FLIPS]: 'flips',
  [WireRollbackCause.UNRECOGNIZED]: 'unknown',
} as const satisfies Record<WireRollbackCause, RollbackCause>;

/** A time that the server did not give. */
const NO_TIME = new Date(0);

const NO_LIMITS: ModelLimits = { maxTokens: 0, maxTextChars: 0, maxBatchInputs: 0, batchBudgetTokens: 0 };
const NO_COST: CostCurve = { baseMs: 0, msPerToken: 0, msPerTokenSquared: 0, samples: [] };

export function toModel(message: WireModel): Model {
  return {
    ...message,
    versions: message.versions.map(toModelVersion),
    rollback: message.rollback && toRollbackRule(message.rollback),
  };
}

export function toVersionComparison(message: WireComparison): VersionComparison {
  return { ...message, since: message.since ?? NO_TIME };
}

function toRollbackRule({ rolledBack, ...rule }: WireRollbackRule): RollbackRule {
  return {
    ...rule,
    rolledBack: rolledBack && {
      ...rolledBack,
      at: rolledBack.at ?? NO_TIME,
      cause: ROLLBACK_CAUSES[rolledBack.cause] ?? 'unknown',
    },
  };
}

export function toModelReload(message: WireModelReload): ModelReload {
  return { ...message, outcome: RELOAD_OUTCOMES[message.outcome] ?? 'unknown' };
}

function toModelVersion(message: WireModelVersion): ModelVersion {
  return {
    ...message,
    state: STATES[message.state] ?? 'unknown',
    problemType: PROBLEM_TYPES[message.problemType] ?? 'unknown',
    defaultTruncation: TRUNCATIONS[message.defaultTruncation],
    batching: BATCHINGS[message.batching] ?? 'unknown',
    appliedActivation: ACTIVATIONS[message.appliedActivation],
    limits: message.limits ?? NO_LIMITS,
    cost: message.cost ?? NO_COST,
    memoryBytes: Number(message.memoryBytes),
  };
}
