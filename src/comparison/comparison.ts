import { activate, activationOf } from '../classify/scores.js';
import type { AppliedActivation, ProblemType } from '../models/types.js';
import { FlipPairs } from './flip-pairs.js';
import { RecentValues } from './recent-values.js';
import type { LabelComparison, VersionComparison } from './types.js';

/** Labels that a comparison lists. */
const MOST_LISTED = 256;

/** What it takes to read labels and probabilities from a version's output. */
export interface AnsweringVersion {
  readonly version: string;
  readonly digest: string;
  readonly labels: readonly string[];
  readonly problemType: ProblemType;
  readonly appliedActivation: AppliedActivation | undefined;
}

/** What a version made of one input. */
export interface ComparedAnswer {
  /** One value per label of the version. */
  readonly logits: Float32Array;
  /** What it took to compute: tokenising and the run of the whole batch. Undefined: it came from the cache. */
  readonly computeMs: number | undefined;
}

/** How one input's answers differ. */
export interface Difference {
  readonly isFlipped: boolean;
  /** The largest difference of a label's probability; of a regression, of the value. */
  readonly shift: number;
}

/**
 * How a candidate's answers differ from another version's. Labels are compared by name: what only one version has holds for it alone.
 * The memory that it takes depends on the labels, and not on the inputs.
 */
export class Comparison {
  readonly version: AnsweringVersion;
  readonly candidate: AnsweringVersion;
  /** Why the two cannot be compared; empty where they can. */
  readonly notComparable: string;
  failed = 0;
  dropped = 0;
  readonly #since: number;
  readonly #names: readonly string[];
  /** Positions of each version's labels among the names. */
  readonly #positions: readonly number[];
  readonly #candidatePositions: readonly number[];
  /** For each name, where each version has it; of names that both have. */
  readonly #shared: readonly { readonly name: number; readonly at: number; readonly candidateAt: number }[];
  readonly #held: Float64Array;
  readonly #candidateHeld: Float64Array;
  readonly #flippedFrom: Float64Array;
  readonly #flippedTo: Float64Array;
  readonly #shiftSum: Float64Array;
  readonly #shiftMost: Float64Array;
  readonly #pairs: FlipPairs;
  readonly #took = new RecentValues();
  readonly #candidateTook = new RecentValues();
  #compared = 0;
  #flips = 0;
  #shiftTotal = 0;
  #largestShift = 0;

  /** @param since Unix time in milliseconds */
  constructor(version: AnsweringVersion, candidate: AnsweringVersion, since: number) {
    this.version = version;
    this.candidate = candidate;
    this.#since = since;
    const names = [...new Set([...version.labels, ...candidate.labels])];
    const places = new Map(names.map((name, place) => [name, place]));
    const placesOf = (labels: readonly string[]) => labels.map((label) => places.get(label) ?? 0);
    this.#names = names;
    this.#positions = placesOf(version.labels);
    this.#candidatePositions = placesOf(candidate.labels);
    this.#shared = names.flatMap((label, name) => {
      const [at, candidateAt] = [version.labels.indexOf(label), candidate.labels.indexOf(label)];
      return at < 0 || candidateAt < 0 ? [] : [{ name, at, candidateAt }];
    });
    this.notComparable = whyNot(version, candidate, this.#shared.length);
    const perName = () => new Float64Array(names.length);
    [this.#held, this.#candidateHeld, this.#flippedFrom] = [perName(), perName(), perName()];
    [this.#flippedTo, this.#shiftSum, this.#shiftMost] = [perName(), perName(), perName()];
    this.#pairs = new FlipPairs(names.length);
  }

  /** Counts one input. Call it for versions alone that can be compared. */
  add(answer: ComparedAnswer, candidateAnswer: ComparedAnswer): Difference {
    const scores = activate(answer.logits, activationOf(this.version));
    const candidateScores = activate(candidateAnswer.logits, activationOf(this.candidate));
    if (answer.computeMs !== undefined) this.#took.add(answer.computeMs);
    if (candidateAnswer.computeMs !== undefined) this.#candidateTook.add(candidateAnswer.computeMs);
    this.#compared++;
    const isFlipped = this.#countLabels(
      heldPlaces(scores, this.version, this.#positions),
      heldPlaces(candidateScores, this.candidate, this.#candidatePositions),
    );
    if (isFlipped) this.#flips++;
    const shift = this.#countShifts(scores, candidateScores);
    this.#shiftTotal += shift;
    this.#largestShift = Math.max(this.#largestShift, shift);
    return { isFlipped, shift };
  }

  view(): VersionComparison {
    const labels = this.#names
      .map((label, name) => this.#labelView(label, name))
      .sort(
        (a, b) =>
          b.flippedFrom + b.flippedTo - a.flippedFrom - a.flippedTo || b.largestShift - a.largestShift,
      );
    const nameAt = (name: number) => this.#names[name] ?? '';
    return {
      version: this.version.version,
      candidate: this.candidate.version,
      since: this.#since,
      notComparable: this.notComparable,
      compared: this.#compared,
      failed: this.failed,
      dropped: this.dropped,
      flips: this.#flips,
      meanShift: this.#mean(this.#shiftTotal),
      largestShift: this.#largestShift,
      medianMs: this.#took.median,
      candidateMedianMs: this.#candidateTook.median,
      labels: labels.slice(0, MOST_LISTED),
      labelsLeftOut: Math.max(0, labels.length - MOST_LISTED),
      labelsUnshared: this.#names.length - this.#shared.length,
      flippedLabels: this.#pairs
        .list()
        .map(({ from, to, count }) => ({ from: nameAt(from), to: nameAt(to), count })),
      flipsLeftOut: this.#pairs.leftOut,
    };
  }

  /** @returns whether other labels hold */
  #countLabels(held: readonly number[], candidateHeld: readonly number[]): boolean {
    const lost = held.filter((name) => !candidateHeld.includes(name));
    const gained = candidateHeld.filter((name) => !held.includes(name));
    for (const name of held) increase(this.#held, name);
    for (const name of candidateHeld) increase(this.#candidateHeld, name);
    for (const name of lost) increase(this.#flippedFrom, name);
    for (const name of gained) increase(this.#flippedTo, name);
    const [from] = lost;
    const [to] = gained;
    if (this.version.problemType === 'single_label_classification' && from !== undefined && to !== undefined)
      this.#pairs.add(from, to);
    return lost.length + gained.length > 0;
  }

  /** @returns the largest of the input */
  #countShifts(scores: Float64Array, candidateScores: Float64Array): number {
    let largest = 0;
    for (const { name, at, candidateAt } of this.#shared) {
      const shift = Math.abs((candidateScores[candidateAt] ?? 0) - (scores[at] ?? 0));
      increase(this.#shiftSum, name, shift);
      this.#shiftMost[name] = Math.max(this.#shiftMost[name] ?? 0, shift);
      largest = Math.max(largest, shift);
    }
    return largest;
  }

  #labelView(label: string, name: number): LabelComparison {
    return {
      label,
      held: this.#held[name] ?? 0,
      candidateHeld: this.#candidateHeld[name] ?? 0,
      flippedFrom: this.#flippedFrom[name] ?? 0,
      flippedTo: this.#flippedTo[name] ?? 0,
      meanShift: this.#mean(this.#shiftSum[name] ?? 0),
      largestShift: this.#shiftMost[name] ?? 0,
    };
  }

  #mean(sum: number): number {
    return this.#compared === 0 ? 0 : sum / this.#compared;
  }
}

function whyNot(version: AnsweringVersion, candidate: AnsweringVersion, shared: number): string {
  if (version.problemType !== candidate.problemType)
    return `${version.version} is a ${words(version)}, ${candidate.version} a ${words(candidate)}`;
  return shared === 0 ? 'the versions have no label in common' : '';
}

function words({ problemType }: AnsweringVersion): string {
  return problemType.replaceAll('_', ' ');
}

/** The labels that hold, by their places among the names: the best one, or with several labels those above one half. */
function heldPlaces(
  scores: Float64Array,
  { problemType }: AnsweringVersion,
  places: readonly number[],
): readonly number[] {
  if (problemType === 'regression') return [];
  if (problemType === 'multi_label_classification')
    return places.filter((_place, index) => (scores[index] ?? 0) > 0.5);
  let best = 0;
  for (let i = 1; i < scores.length; i++) if ((scores[i] ?? 0) > (scores[best] ?? 0)) best = i;
  return [places[best] ?? 0];
}

function increase(counts: Float64Array, at: number, by = 1): void {
  counts[at] = (counts[at] ?? 0) + by;
}
