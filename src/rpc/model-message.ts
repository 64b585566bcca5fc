import {
  Activation as ActivationMessage,
  Truncation as TruncationMessage,
} from '../../generated/verdict/v1/classification.js';
import {
  Batching as BatchingMessage,
  type Model,
  type ModelVersion,
  ProblemType as ProblemTypeMessage,
  RollbackCause as RollbackCauseMessage,
  type RollbackRule as RuleMessage,
  ModelState as StateMessage,
} from '../../generated/verdict/v1/model_service.js';
import type { RollbackCause, RollbackRule } from '../models/routing.js';
import type {
  AppliedActivation,
  Batching,
  ModelState,
  ModelVersionView,
  ModelView,
  ProblemType,
} from '../models/types.js';
import type { Truncation } from '../tokenizer/types.js';
import { roundedMs } from './classification-message.js';
import type { RequestLimits } from './server-options.js';

const states = {
  unloaded: StateMessage.UNLOADED,
  loading: StateMessage.LOADING,
  serving: StateMessage.SERVING,
  draining: StateMessage.DRAINING,
  failed: StateMessage.FAILED,
} as const satisfies Record<ModelState, StateMessage>;

const problemTypes = {
  single_label_classification: ProblemTypeMessage.SINGLE_LABEL,
  multi_label_classification: ProblemTypeMessage.MULTI_LABEL,
  regression: ProblemTypeMessage.REGRESSION,
} as const satisfies Record<ProblemType, ProblemTypeMessage>;

const batchings = {
  padded: BatchingMessage.PADDED,
  equal_length: BatchingMessage.EQUAL_LENGTH,
  one_at_a_time: BatchingMessage.ONE_AT_A_TIME,
} as const satisfies Record<Batching, BatchingMessage>;

const activations = {
  softmax: ActivationMessage.SOFTMAX,
  sigmoid: ActivationMessage.SIGMOID,
} as const satisfies Record<AppliedActivation, ActivationMessage>;

const truncations = {
  end: TruncationMessage.END,
  start: TruncationMessage.START,
  reject: TruncationMessage.REJECT,
} as const satisfies Record<Truncation, TruncationMessage>;

const rollbackCauses = {
  errors: RollbackCauseMessage.ERRORS,
  flips: RollbackCauseMessage.FLIPS,
} as const satisfies Record<RollbackCause, RollbackCauseMessage>;

/** A model in the words of the contract. */
export function modelMessage(view: ModelView, limits: RequestLimits): Model {
  return {
    name: view.name,
    isDefault: view.isDefault,
    servingVersion: view.servingVersion,
    versions: view.versions.map((version) => versionMessage(version, limits)),
    traffic: [...view.traffic],
    aliases: [...view.aliases],
    shadow: view.shadow && { version: view.shadow.version, percent: view.shadow.percent },
    rollback: view.rollback && ruleMessage(view.rollback),
    isPinned: view.isPinned,
  };
}

function ruleMessage(rule: RollbackRule): RuleMessage {
  const { version, stable, maxErrorPercent, maxFlipPercent, minObservations, windowSeconds, rolledBack } =
    rule;
  return {
    ...{ version, stableVersion: stable, maxErrorPercent, maxFlipPercent },
    ...{ minObservations, windowSeconds },
    rolledBack: rolledBack && {
      at: new Date(rolledBack.at),
      cause: rollbackCauses[rolledBack.cause],
      count: rolledBack.count,
      observations: rolledBack.observations,
    },
  };
}

function versionMessage(view: ModelVersionView, limits: RequestLimits): ModelVersion {
  return {
    version: view.version,
    state: states[view.state],
    stateReason: view.stateReason,
    labels: [...view.labels],
    problemType:
      view.problemType === undefined ? ProblemTypeMessage.UNSPECIFIED : problemTypes[view.problemType],
    limits: {
      maxTokens: view.maxTokens,
      maxTextChars: limits.maxTextChars,
      maxBatchInputs: limits.maxBatchInputs,
      batchBudgetTokens: view.batchBudgetTokens,
    },
    precision: view.precision ?? '',
    device: view.device ?? '',
    batching: view.batching === undefined ? BatchingMessage.UNSPECIFIED : batchings[view.batching],
    appliedActivation:
      view.appliedActivation === undefined
        ? ActivationMessage.UNSPECIFIED
        : activations[view.appliedActivation],
    digest: view.digest,
    defaultTruncation:
      view.defaultTruncation === undefined
        ? TruncationMessage.UNSPECIFIED
        : truncations[view.defaultTruncation],
    readyInstances: view.readyInstances,
    instances: view.instances,
    memoryBytes: BigInt(view.memoryBytes),
    cost: {
      baseMs: view.cost.baseMs,
      msPerToken: view.cost.msPerToken,
      msPerTokenSquared: view.cost.msPerTokenSquared,
      samples: view.costSamples.map(({ items, tokens, runMs }) => ({
        inputs: items,
        tokens,
        runMs: roundedMs(runMs),
      })),
    },
  };
}
