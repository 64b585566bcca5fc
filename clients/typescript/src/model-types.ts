import type { Activation, Truncation } from './types.js';

/** What a version of a model is doing; one that is `unloaded` is loaded by the next request for it. `unknown` stands for a value that this client is too old to know. */
export type ModelState = 'unloaded' | 'loading' | 'serving' | 'draining' | 'failed' | 'unknown';

/** What kind of answer a model gives, in the words of a Hub `config.json`. */
export type ProblemType =
  | 'single_label_classification'
  | 'multi_label_classification'
  | 'regression'
  | 'unknown';

/**
 * Which inputs may share a run without changing each other's answers: any, those of one length, none. `unknown` where the
 * server did not say.
 */
export type Batching = 'padded' | 'equal_length' | 'one_at_a_time' | 'unknown';

/** A model: a name and its versions. */
export interface Model {
  readonly name: string;
  /** Whether requests that name no model go to this one. */
  readonly isDefault: boolean;
  /** Empty where no version is serving. */
  readonly servingVersion: string;
  /** Highest first. */
  readonly versions: readonly ModelVersion[];
  /** The shares that were set, lowest version first; empty: the highest version gets all requests that name none. */
  readonly traffic: readonly TrafficShare[];
  /** By name. */
  readonly aliases: readonly ModelAlias[];
  /** What runs in the shadow; `undefined`: nothing does. */
  readonly shadow: ModelShadow | undefined;
  /** When a candidate loses its traffic; `undefined`: there is no rule. */
  readonly rollback: RollbackRule | undefined;
  /** Whether it is loaded at the start of the server and stays loaded. */
  readonly isPinned: boolean;
}

/** A version that is asked a sample of what other versions have answered. */
export interface ModelShadow {
  readonly version: string;
  /** Whole percent. */
  readonly percent: number;
}

/** What a candidate is judged by. */
export interface RollbackLimits {
  /** The candidate. */
  readonly version: string;
  /** The version that gets the candidate's share. */
  readonly stableVersion: string;
  /** The highest share of inputs that may fail, in percent below 100. Default: failures do not matter. One of the two limits must be set. */
  readonly maxErrorPercent?: number | undefined;
  /** The highest share of inputs that may get other labels, in percent below 100. Default: labels do not matter. */
  readonly maxFlipPercent?: number | undefined;
  /** The fewest inputs that a limit is judged by. Default: 50. */
  readonly minObservations?: number | undefined;
  /** How far back inputs count. Default: 300. */
  readonly windowSeconds?: number | undefined;
}

/** When a candidate loses its traffic. */
export interface RollbackRule extends RollbackLimits {
  readonly minObservations: number;
  readonly windowSeconds: number;
  /** That it happened; `undefined`: the rule is armed. */
  readonly rolledBack: Rollback | undefined;
}

/** Which limit was passed. `unknown` stands for a value that this client is too old to know. */
export type RollbackCause = 'errors' | 'flips' | 'unknown';

/** A candidate has lost its traffic. */
export interface Rollback {
  readonly at: Date;
  readonly cause: RollbackCause;
  /** Inputs that failed, or got other labels. */
  readonly count: number;
  /** Inputs that were looked at. */
  readonly observations: number;
}

/** The share of a version of the requests that name none. */
export interface TrafficShare {
  readonly version: string;
  /** Whole percent. */
  readonly percent: number;
}

/** A name that stands for a version. */
export interface ModelAlias {
  readonly alias: string;
  readonly version: string;
}

/** One version of a model. */
export interface ModelVersion {
  readonly version: string;
  readonly state: ModelState;
  /** Why it is in that state, where there is something to say. */
  readonly stateReason: string;
  /** In the order of the model's output. */
  readonly labels: readonly string[];
  readonly problemType: ProblemType;
  readonly limits: ModelLimits;
  /** `fp32`, `int8` or `fp16`. */
  readonly precision: string;
  /** `cpu` or `cuda`. */
  readonly device: string;
  /** Two servers with the same digest give the same answers. */
  readonly digest: string;
  /** `undefined` where the server did not say. */
  readonly defaultTruncation: Truncation | undefined;
  readonly readyInstances: number;
  readonly instances: number;
  readonly cost: CostCurve;
  readonly batching: Batching;
  /** What the model itself does to its logits; `undefined`: nothing. */
  readonly appliedActivation: Activation | undefined;
  /** Resident memory of its session processes; 0 where it is not loaded, or the server's system does not tell. */
  readonly memoryBytes: number;
}

/** What became of a model that the server looked at again. `unknown` stands for a value that this client is too old to know. */
export type ReloadOutcome = 'loaded' | 'unchanged' | 'removed' | 'failed' | 'retired' | 'unknown';

/** What became of one model in a reload. */
export interface ModelReload {
  readonly model: string;
  readonly outcome: ReloadOutcome;
  /** The version that answers now; empty where none does. */
  readonly version: string;
  /** Why it failed; empty where it did not. */
  readonly reason: string;
  /** Known texts of the version before, and how many of them got other labels; `undefined`: none were compared. */
  readonly labelFlips: { readonly compared: number; readonly flipped: number } | undefined;
  /** The latest texts that the new version was asked before it took over; `undefined`: it was asked none. */
  readonly warmUp:
    | {
        readonly texts: number;
        readonly failed: number;
        readonly compared: number;
        readonly flipped: number;
      }
    | undefined;
  /** The versions that were taken out of service and are gone, highest first. */
  readonly retiredVersions: readonly string[];
}

/** What a version of a model accepts. */
export interface ModelLimits {
  /** Special tokens included. */
  readonly maxTokens: number;
  /** UTF-16 units of one text: a string's `length`. */
  readonly maxTextChars: number;
  readonly maxBatchInputs: number;
  /** Padded tokens of one run. */
  readonly batchBudgetTokens: number;
}

/** Cost of a run: `baseMs + msPerToken * paddedTokens + msPerTokenSquared * inputs * longest ** 2`. */
export interface CostCurve {
  readonly baseMs: number;
  readonly msPerToken: number;
  readonly msPerTokenSquared: number;
  /** The runs that were measured at load. */
  readonly samples: readonly {
    readonly inputs: number;
    readonly tokens: number;
    readonly runMs: number;
  }[];
}

/** The answer of a health check. `service_unknown`: the server has no service of that name. */
export type HealthStatus = 'serving' | 'not_serving' | 'service_unknown' | 'unknown';
