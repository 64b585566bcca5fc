/** How the answers of a candidate differ from those of another version to the same inputs. */
export interface VersionComparison {
  /** The version that the candidate is compared with. */
  readonly version: string;
  readonly candidateVersion: string;
  /** When the counts began. */
  readonly since: Date;
  /** Why the versions cannot be compared; empty where they can. */
  readonly notComparable: string;
  readonly compared: number;
  /** Inputs that the one that was asked second could not answer, through no fault of the load. */
  readonly failed: number;
  /** Inputs that were not compared, since the server was busy or the version was away. */
  readonly dropped: number;
  /** Compared inputs for which other labels hold. */
  readonly flips: number;
  /** Mean over the inputs of the largest difference of a label's probability; with a regression, of the value. */
  readonly meanShift: number;
  readonly largestShift: number;
  /** Median of what the latest inputs took to compute, in milliseconds, without the wait; 0: none was computed. */
  readonly medianMs: number;
  readonly candidateMedianMs: number;
  /** Those with the most flips first, at most 256. */
  readonly labels: readonly LabelComparison[];
  readonly labelsLeftOut: number;
  /** Labels that only one of the versions has. */
  readonly labelsUnshared: number;
  /** Single-label models: from which label to which, most frequent first, at most 256. */
  readonly flippedLabels: readonly FlippedLabel[];
  readonly flipsLeftOut: number;
}

/** What became of one label. Shifts are differences of its probability, without the sign. */
export interface LabelComparison {
  readonly label: string;
  /** Inputs for which it holds by `version`. */
  readonly held: number;
  readonly candidateHeld: number;
  /** Inputs for which it holds by `version` and not by the candidate. */
  readonly flippedFrom: number;
  /** Inputs for which it holds by the candidate and not by `version`. */
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
