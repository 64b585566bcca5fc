import type { ClassifyingModel } from '../classify/classifier-pipeline.js';
import type { Rollback, RollbackEvidence, RollbackRule, Routings } from '../models/routing.js';
import type { RollbackOutcome } from '../models/types.js';

/** A version whose answers can be compared with another's. */
export interface ComparableVersion extends ClassifyingModel {
  /** How much of its queue is taken once one more input is in. 1: all. */
  readonly nextQueueFill: number;
}

/** The versions that are loaded, and what is set about them. */
export interface ComparableVersions {
  readonly routings: Routings;
  /** The models that anything is known of. */
  readonly names: readonly string[];
  /** Undefined: it is not loaded, or gets no requests any more. */
  find(model: string, version: string): ComparableVersion | undefined;
  /** @throws VerdictError not_found */
  get(model: string): unknown;
}

/** What became of one label. */
export interface LabelComparison {
  readonly label: string;
  /** Inputs for which it holds, by the version that the candidate is compared with. */
  readonly held: number;
  readonly candidateHeld: number;
  /** Inputs for which it holds by that version and not by the candidate, and the other way round. */
  readonly flippedFrom: number;
  readonly flippedTo: number;
  readonly meanShift: number;
  readonly largestShift: number;
}

/** How often one label became another. */
export interface FlippedLabel {
  readonly from: string;
  readonly to: string;
  readonly count: number;
}

/** How the answers of a candidate differ from those of another version to the same inputs. */
export interface VersionComparison {
  readonly version: string;
  readonly candidate: string;
  /** Unix time in milliseconds. */
  readonly since: number;
  /** Why they cannot be compared; empty where they can. */
  readonly notComparable: string;
  readonly compared: number;
  readonly failed: number;
  readonly dropped: number;
  readonly flips: number;
  /** Mean over the inputs of the largest difference of a label's probability; of a regression, of the value. */
  readonly meanShift: number;
  readonly largestShift: number;
  /** Median of what the latest inputs took to compute, in milliseconds; 0: none was computed. */
  readonly medianMs: number;
  readonly candidateMedianMs: number;
  /** Those with the most flips first. */
  readonly labels: readonly LabelComparison[];
  readonly labelsLeftOut: number;
  /** Labels that only one of the versions has. */
  readonly labelsUnshared: number;
  /** Most frequent first. */
  readonly flippedLabels: readonly FlippedLabel[];
  readonly flipsLeftOut: number;
}

/** Read access to the comparisons under way. */
export interface ComparisonCatalog {
  /**
   * By candidate, and by the version that it is compared with.
   * @param candidate empty: all
   * @throws VerdictError not_found for a model that does not exist
   */
  compare(model: string, candidate: string): readonly VersionComparison[];
}

/** Of which candidate an event is. */
export interface CandidateName {
  readonly model: string;
  /** The candidate. */
  readonly version: string;
}

/** A candidate has lost its traffic. */
export interface RollbackReport extends CandidateName, Omit<Rollback, 'at'> {
  /** The version that has it now. */
  readonly stable: string;
  /** Whether that lasts beyond the end of the server. */
  readonly isKept: boolean;
}

/** Events for telemetry. None may throw. */
export interface ComparisonHooks {
  /** @param shift the largest difference of a label's probability; of a regression, of the value */
  onCompared?(candidate: CandidateName, isFlipped: boolean, shift: number): void;
  onNotCompared?(candidate: CandidateName, outcome: 'failed' | 'dropped'): void;
  onRolledBack?(rollback: RollbackReport): void;
  /** A limit was passed, and the candidate keeps its traffic. @param reason in words */
  onRollbackFailed?(candidate: CandidateName, reason: string): void;
}

/** Takes a candidate's traffic away: see `Rollbacks`. */
export type RollBack = (
  model: string,
  rule: RollbackRule,
  evidence: RollbackEvidence,
) => Promise<RollbackOutcome>;
