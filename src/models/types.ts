import type { CostCurve, CostSample } from '../cost/cost-curve.js';
import type { Device, Precision } from '../runtime/types.js';
import type { Truncation } from '../tokenizer/types.js';

export type ProblemType = 'single_label_classification' | 'multi_label_classification' | 'regression';
/**
 * Which inputs may run together without one changing another's answer: any, padded to the longest; those of one length;
 * none.
 */
export type Batching = 'padded' | 'equal_length' | 'one_at_a_time';
/** A function that turns logits into scores. */
export type AppliedActivation = 'softmax' | 'sigmoid';
export type ModelState = 'loading' | 'serving' | 'draining' | 'failed';

/** What is told about a version of a model: the source of ModelService, of health and of the model metrics. */
export interface ModelVersionView {
  readonly version: string;
  readonly state: ModelState;
  /** One sentence, empty where there is nothing to say. Holds no path but those below the models folder. */
  readonly stateReason: string;
  readonly labels: readonly string[];
  readonly problemType: ProblemType | undefined;
  readonly maxTokens: number;
  readonly batchBudgetTokens: number;
  readonly precision: Precision | undefined;
  readonly device: Device | undefined;
  /** `sha256:` and 64 hexadecimal digits; empty where it was not loaded. */
  readonly digest: string;
  readonly batching: Batching | undefined;
  /** What the graph itself does to its logits; undefined: nothing. */
  readonly appliedActivation: AppliedActivation | undefined;
  readonly defaultTruncation: Truncation | undefined;
  readonly readyInstances: number;
  readonly instances: number;
  readonly cost: CostCurve;
  readonly costSamples: readonly CostSample[];
}

export interface ModelView {
  readonly name: string;
  readonly isDefault: boolean;
  /** Empty where no version is serving. */
  readonly servingVersion: string;
  /** Whether any version was ever loaded. Of one that was not, only state, reason and version are told. */
  readonly loaded: boolean;
  /** Highest first. */
  readonly versions: readonly ModelVersionView[];
}

/** Read access to the models that exist. */
export interface ModelCatalog {
  /** By ascending name. */
  list(): readonly ModelView[];
  /** @throws VerdictError not_found */
  get(name: string): ModelView;
  /** Called after any change of a model's state. Returns the way to stop listening. */
  onChange(listener: () => void): () => void;
}
