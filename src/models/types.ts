import type { CostCurve, CostSample } from '../batching/cost-model.js';
import type { Device, Precision } from '../runtime/types.js';
import type { Truncation } from '../tokenizer/types.js';

export type ProblemType = 'single_label_classification' | 'multi_label_classification' | 'regression';
export type ModelState = 'loading' | 'serving' | 'draining' | 'failed';

/** What is told about a version of a model: the source of ModelService, of health and of the model metrics. */
export interface ModelVersionView {
  readonly version: string;
  readonly state: ModelState;
  readonly stateReason: string;
  readonly labels: readonly string[];
  readonly problemType: ProblemType;
  readonly maxTokens: number;
  readonly batchBudgetTokens: number;
  readonly precision: Precision;
  readonly device: Device;
  /** `sha256:` and 64 hexadecimal digits. */
  readonly digest: string;
  readonly defaultTruncation: Truncation;
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
