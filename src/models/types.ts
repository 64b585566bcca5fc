import type { CostCurve, CostSample } from '../cost/cost-curve.js';
import type { Device, Precision } from '../runtime/types.js';
import type { Truncation } from '../tokenizer/types.js';
import type { RollbackEvidence, RollbackLimits, RollbackRule, Shadow } from './routing.js';
import type { Share, Shares } from './traffic.js';

export type ProblemType = 'single_label_classification' | 'multi_label_classification' | 'regression';
/**
 * Which inputs may run together without one changing another's answer: any, padded to the longest; those of one length;
 * none.
 */
export type Batching = 'padded' | 'equal_length' | 'one_at_a_time';
/** A function that turns logits into scores. */
export type AppliedActivation = 'softmax' | 'sigmoid';
export type ModelState = 'unloaded' | 'loading' | 'serving' | 'draining' | 'failed';

/** How a version answers the texts that its predecessor knew the answers of. */
export interface LabelFlips {
  /** Texts that were compared. */
  readonly compared: number;
  /** Those of them for which other labels hold. */
  readonly flipped: number;
}

/** What became of the latest texts that a new version was asked before it took over. */
export interface WarmUp {
  /** Texts that it was asked. */
  readonly texts: number;
  /** Those of them that it did not answer. */
  readonly failed: number;
  /** Those that the version before it had answered too. */
  readonly compared: number;
  /** Those of them for which other labels hold. */
  readonly flipped: number;
}

/** One category of a moderator. */
export interface ModerationCategory {
  /** `harassment`, `self-harm/intent`. */
  readonly name: string;
  /** The labels that mean it: the highest of their scores is its score. */
  readonly labels: ReadonlySet<string>;
  /** From this score on a text is flagged: above 0, at most 1. */
  readonly threshold: number;
}

/** What the labels of a model mean to a moderator. */
export interface Moderation {
  readonly categories: readonly ModerationCategory[];
}

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
  /** Undefined: it is not loaded, or serves no moderator. */
  readonly moderation?: Moderation | undefined;
  readonly readyInstances: number;
  readonly instances: number;
  readonly cost: CostCurve;
  readonly costSamples: readonly CostSample[];
  /** Resident memory of its session processes, as last measured; 0 where nothing is known. */
  readonly memoryBytes: number;
}

export interface ModelView {
  readonly name: string;
  readonly isDefault: boolean;
  /** Whether it is loaded at the start and never unloaded to make room. */
  readonly isPinned: boolean;
  /** Empty where no version is serving. */
  readonly servingVersion: string;
  /** Whether any version is loaded and gets requests. Of one that never was, only state, reason and version are told. */
  readonly loaded: boolean;
  /** Highest first. */
  readonly versions: readonly ModelVersionView[];
  /** The shares that were set, lowest version first; empty: the highest version gets all requests that name none. */
  readonly traffic: readonly Share[];
  /** By alias. */
  readonly aliases: readonly AliasView[];
  /** Undefined: no version runs in the shadow. */
  readonly shadow?: Shadow | undefined;
  /** Undefined: no candidate loses its traffic. */
  readonly rollback?: RollbackRule | undefined;
}

/** A name that stands for a version. */
export interface AliasView {
  readonly alias: string;
  readonly version: string;
}

/** Changes where requests for a model go, and keeps that beyond the end of the server. */
export interface RoutingChanges {
  /**
   * Divides the requests that name no version. A change by some percent moves no more than that, and to versions that grow.
   * @param shares whole percent above 0 by version, 100 together; empty: the highest version gets all requests
   * @param signal gives up a change that has not begun
   * @throws VerdictError, by rejection: not_found, unavailable for a version that is not loaded, or where the change cannot be
   *   kept; the signal's reason. Nothing has changed then
   */
  setTraffic(model: string, shares: Shares, signal?: AbortSignal): Promise<ModelView>;
  /**
   * @param alias a name as `aliasPattern` says
   * @throws VerdictError, by rejection: as above; resource_exhausted where the model has as many aliases as it may
   */
  setAlias(model: string, alias: string, version: string, signal?: AbortSignal): Promise<ModelView>;
  /** @throws VerdictError, by rejection: not_found, unavailable; the signal's reason */
  deleteAlias(model: string, alias: string, signal?: AbortSignal): Promise<ModelView>;
  /**
   * Has a version asked a sample of what others have answered.
   * @param percent whole, from 0; 0: no version any more
   * @throws VerdictError, by rejection: as `setTraffic` does
   */
  setShadow(model: string, version: string, percent: number, signal?: AbortSignal): Promise<ModelView>;
  /**
   * Sets when a candidate loses its traffic.
   * @param limits within `rollbackBounds`
   * @throws VerdictError, by rejection: as `setTraffic` does
   */
  setRollback(model: string, limits: RollbackLimits, signal?: AbortSignal): Promise<ModelView>;
  /** @throws VerdictError, by rejection: not_found, unavailable; the signal's reason */
  deleteRollback(model: string, signal?: AbortSignal): Promise<ModelView>;
}

/** `kept`: it lasts beyond the end of the server. `not_needed`: the rule has gone, or the candidate gets nothing. */
export type RollbackOutcome = 'kept' | 'not_kept' | 'not_needed';

/** Takes the traffic of candidates away. */
export interface Rollbacks {
  /**
   * Gives the candidate's share to the stable version in one step. Callers are protected even where that cannot be kept.
   * @param rule the one that the evidence was found by
   * @throws VerdictError, by rejection: not_found, unavailable where the stable version is not loaded. Nothing has changed then
   */
  rollBack(
    model: string,
    rule: Pick<RollbackRule, 'version' | 'setAt'>,
    evidence: RollbackEvidence,
  ): Promise<RollbackOutcome>;
}

/** What became of a model when the models folder was read again. */
export type ReloadOutcome = 'loaded' | 'unchanged' | 'removed' | 'failed' | 'retired';

export interface ModelReload {
  readonly model: string;
  readonly outcome: ReloadOutcome;
  /** The version that answers now; empty where none does. */
  readonly version: string;
  /** Why it failed, for everybody to read: no path but those below the models folder. Empty where it did not. */
  readonly reason: string;
  /** Undefined: nothing was loaded, or there was nothing to compare it with. */
  readonly flips: LabelFlips | undefined;
  /** Undefined: the version was asked nothing before it took over. */
  readonly warmUp?: WarmUp | undefined;
  /** The versions that were taken out of service and are gone, highest first. */
  readonly retired: readonly string[];
}

/** Events of reloads, for logs and metrics. None may throw. */
export interface ReloadHooks {
  /** @param tookMs until the former version had ended, in milliseconds */
  onModelReloaded?(reload: ModelReload, tookMs: number): void;
  /** All models that were asked for have been looked at. */
  onReloaded?(reloads: readonly ModelReload[]): void;
  /** The models folder cannot be read: everything stays as it is. @param reason with its path */
  onFolderUnreadable?(reason: string): void;
  /** A version whose place was taken did not end well. */
  onEndFailed?(version: { readonly name: string; readonly version: string }, error: unknown): void;
}

/** Reads the models folder again. */
export interface ModelReloads {
  /**
   * A request that comes while models are being reloaded waits, and shares the next reload with all others that wait.
   * @param models names; empty: all models
   * @param signal stops to wait; the reload goes on
   * @returns what became of each, by ascending name
   * @throws VerdictError not_found for a name that neither the folder nor the server knows, after the others were reloaded;
   *   unavailable where the folder cannot be read, or the server is stopping; the signal's reason
   */
  reload(models?: readonly string[], signal?: AbortSignal): Promise<readonly ModelReload[]>;
}

/** Loads and unloads models by hand. */
export interface ModelLoads {
  /**
   * Loads a model, if it is not loaded, as a request for it would.
   * @param signal stops to wait; the load goes on
   * @throws VerdictError, by rejection: not_found; resource_exhausted where nothing can be unloaded to make room; unavailable
   *   where it could not be loaded, or the server is stopping; the signal's reason
   */
  load(model: string, signal: AbortSignal): Promise<ModelView>;
  /**
   * Unloads a model, if it is loaded: it answers what it holds, and its sessions end. The next request loads it again.
   * @param signal stops to wait; the model is unloaded all the same
   * @throws VerdictError, by rejection: not_found; invalid_argument for one that is pinned; unavailable where the server is
   *   stopping; the signal's reason
   */
  unload(model: string, signal: AbortSignal): Promise<ModelView>;
}

/** Why a model was unloaded: another one needed its place, the sessions took too much memory, or somebody asked. */
export type UnloadCause = 'place' | 'memory' | 'request';

/** Events of loading models on demand, for logs and metrics. None may throw. */
export interface OnDemandHooks {
  /** @param tookMs the load alone, in milliseconds */
  onLoaded?(model: string, tookMs: number): void;
  /** @param reason for everybody to read */
  onLoadFailed?(model: string, reason: string, tookMs: number): void;
  /** @param tookMs until all it held was answered and its sessions had ended, in milliseconds */
  onUnloaded?(model: string, cause: UnloadCause, tookMs: number): void;
  /** A version that was unloaded did not end well. */
  onEndFailed?(version: { readonly name: string; readonly version: string }, error: unknown): void;
  /** A request for a model that is not loaded was refused. */
  onRefused?(cause: RefusedLoad): void;
}

/** Why a request for a model that is not loaded was refused: too many wait, its deadline is too near, or nothing can make room. */
export type RefusedLoad = 'waiting' | 'deadline' | 'pinned';

/** Read access to the models that exist. */
export interface ModelCatalog {
  /** By ascending name. */
  list(): readonly ModelView[];
  /** @throws VerdictError not_found */
  get(name: string): ModelView;
  /** Called after any change of a model's state. Returns the way to stop listening. */
  onChange(listener: () => void): () => void;
}
