import type { Resolved, ResultCache } from '../cache/types.js';
import type { ClassifyingModel } from '../classify/classifier-pipeline.js';
import type { InputRequest } from '../classify/types.js';
import { VerdictError } from '../errors.js';
import type { RollbackEvidence, RollbackRule, Shadow } from '../models/routing.js';
import { type AnsweringVersion, type ComparedAnswer, Comparison } from './comparison.js';
import { RollbackWatch } from './rollback-watch.js';
import { SideRuns } from './side-runs.js';
import type {
  CandidateName,
  ComparableVersion,
  ComparableVersions,
  ComparisonHooks,
  RollBack,
  VersionComparison,
} from './types.js';

/** Pairs of versions that are compared at a time: more than anybody serves. */
const MOST_PAIRS = 64;
/** Between two tries to take a candidate's traffic away. */
const RETRY_MS = 1_000;

export interface WatchedModelParts {
  readonly versions: ComparableVersions;
  readonly cache: Pick<ResultCache, 'resolve'>;
  readonly rollBack: RollBack;
  readonly hooks: ComparisonHooks;
  /** From 0 up to 1. */
  readonly random: () => number;
  /** A monotonic clock in milliseconds. */
  readonly now: () => number;
}

/** A model of which a version runs in the shadow, or a candidate is watched. */
export class WatchedModel {
  readonly #name: string;
  readonly #parts: WatchedModelParts;
  readonly #runs: SideRuns;
  /** By both versions. */
  readonly #comparisons = new Map<string, Comparison>();
  #shadow: Shadow | undefined;
  #watch: RollbackWatch | undefined;
  /** Undefined: there is no rule, or it has been used. */
  #armed: RollbackRule | undefined;
  #nextTryAt = 0;

  constructor(name: string, parts: WatchedModelParts) {
    this.#name = name;
    this.#parts = parts;
    this.#runs = new SideRuns(parts.cache);
  }

  /** Takes over what is set by now. What has been set anew begins anew. */
  configure(shadow: Shadow | undefined, rule: RollbackRule | undefined): void {
    const [formerShadow, former] = [this.#shadow, this.#watch?.rule];
    if (formerShadow?.setAt !== shadow?.setAt) this.#forget(formerShadow?.version, shadow?.version);
    this.#shadow = shadow;
    const isOther = former?.setAt !== rule?.setAt;
    if (isOther) this.#forget(former?.version, rule?.version);
    const isArmed = rule?.rolledBack === undefined;
    if (isOther || isArmed !== (former?.rolledBack === undefined))
      this.#watch = rule && new RollbackWatch(rule);
    this.#armed = isArmed ? rule : undefined;
  }

  /** Nothing is compared any more. */
  stop(): void {
    this.#runs.stop();
  }

  onAnswer(model: ClassifyingModel, request: InputRequest, answer: Resolved): void {
    const { version } = model;
    const shadow = this.#shadow;
    if (shadow !== undefined && version !== shadow.version && this.#parts.random() * 100 < shadow.percent)
      this.#compareLater(model, request, answer, shadow.version, true);
    const rule = this.#armed;
    // Whoever names a version has chosen it. What the cache answers was judged when it was computed.
    if (rule?.version !== version || request.version !== '' || !isComputed(answer)) return;
    this.#judge(this.#watch?.note('answered', this.#parts.now()));
    if (rule.maxFlipPercent !== undefined && this.#armed !== undefined)
      this.#compareLater(model, request, answer, rule.stable, false);
  }

  /** Counts what a caller was refused through no fault of its own. */
  onFailure({ version }: ClassifyingModel, request: InputRequest, error: unknown): void {
    // Whoever names a version has chosen it, and whoever wants it out could choose it with inputs that fail.
    if (this.#armed?.version !== version || request.version !== '' || !isServerFault(error)) return;
    this.#judge(this.#watch?.note('failed', this.#parts.now()));
  }

  /** @param candidate empty: all */
  comparisons(candidate: string): readonly VersionComparison[] {
    return [...this.#comparisons.values()]
      .filter(({ candidate: { version } }) => candidate === '' || version === candidate)
      .sort(
        (a, b) =>
          Number(a.candidate.version) - Number(b.candidate.version) ||
          Number(a.version.version) - Number(b.version.version),
      )
      .map((comparison) => comparison.view());
  }

  /** @param asksCandidate whether the other version is the candidate, or the one that it is compared with */
  #compareLater(
    model: ClassifyingModel,
    { input, options }: InputRequest,
    answer: Resolved,
    other: string,
    asksCandidate: boolean,
  ): void {
    const { name, appliedActivation, digest, labels, problemType, version } = model;
    const answered: AnsweringVersion = { version, digest, labels, problemType, appliedActivation };
    const candidate: CandidateName = { model: name, version: asksCandidate ? other : version };
    const versions = (asked: ComparableVersion): [AnsweringVersion, AnsweringVersion] =>
      asksCandidate ? [answered, asked] : [asked, answered];
    const present = this.#parts.versions.find(name, other);
    const comparison = present && this.#comparisonOf(...versions(present));
    if (comparison === undefined || comparison.notComparable !== '') return;
    const first = comparedAnswer(answer);
    this.#runs.offer({
      input,
      truncation: options.truncation,
      version: () => this.#parts.versions.find(name, other),
      onAnswer: (asked, resolved) => {
        // Meanwhile it may have been forgotten, or another version may have taken the number.
        if (!this.#isCurrent(comparison, ...versions(asked))) return;
        const second = comparedAnswer(resolved);
        const { isFlipped, shift } = asksCandidate
          ? comparison.add(first, second)
          : comparison.add(second, first);
        this.#parts.hooks.onCompared?.(candidate, isFlipped, shift);
        this.#noteFlip(comparison, isFlipped, isComputed(answer));
      },
      onNoAnswer: (outcome) => {
        comparison[outcome]++;
        this.#parts.hooks.onNotCompared?.(candidate, outcome);
      },
    });
  }

  #noteFlip({ version, candidate }: Comparison, isFlipped: boolean, isNew: boolean): void {
    const rule = this.#armed;
    // The same popular text would count as often as it is asked.
    if (!isNew || rule?.version !== candidate.version || rule.stable !== version.version) return;
    this.#judge(this.#watch?.note(isFlipped ? 'flipped' : 'same', this.#parts.now()));
  }

  /** @returns undefined where there are too many */
  #comparisonOf(version: AnsweringVersion, candidate: AnsweringVersion): Comparison | undefined {
    const key = keyOf(version, candidate);
    const found = this.#comparisons.get(key);
    if (found !== undefined && this.#isCurrent(found, version, candidate)) return found;
    if (found === undefined && this.#comparisons.size >= MOST_PAIRS) return undefined;
    const added = new Comparison(answering(version), answering(candidate), Date.now());
    this.#comparisons.set(key, added);
    return added;
  }

  #isCurrent(comparison: Comparison, version: AnsweringVersion, candidate: AnsweringVersion): boolean {
    return (
      this.#comparisons.get(keyOf(version, candidate)) === comparison &&
      comparison.version.digest === version.digest &&
      comparison.candidate.digest === candidate.digest
    );
  }

  #judge(evidence: RollbackEvidence | undefined): void {
    const rule = this.#armed;
    if (evidence === undefined || rule === undefined || this.#parts.now() < this.#nextTryAt) return;
    this.#nextTryAt = this.#parts.now() + RETRY_MS;
    void this.#rollBack(rule, evidence);
  }

  async #rollBack(rule: RollbackRule, evidence: RollbackEvidence): Promise<void> {
    const { hooks, rollBack } = this.#parts;
    const { version, stable } = rule;
    const candidate = { model: this.#name, version };
    try {
      const outcome = await rollBack(this.#name, rule, evidence);
      if (outcome === 'not_needed') return;
      hooks.onRolledBack?.({ ...candidate, ...evidence, stable, isKept: outcome === 'kept' });
    } catch (error) {
      hooks.onRollbackFailed?.(candidate, error instanceof Error ? error.message : String(error));
    }
  }

  /** @param candidates undefined: none */
  #forget(...candidates: readonly (string | undefined)[]): void {
    for (const [key, { candidate }] of this.#comparisons)
      if (candidates.includes(candidate.version)) this.#comparisons.delete(key);
  }
}

function keyOf(version: AnsweringVersion, candidate: AnsweringVersion): string {
  return `${version.version}/${candidate.version}`;
}

/** What a comparison may keep: a version would stay in memory with its sessions. */
function answering({
  version,
  digest,
  labels,
  problemType,
  appliedActivation,
}: AnsweringVersion): AnsweringVersion {
  return { version, digest, labels, problemType, appliedActivation };
}

function comparedAnswer(answer: Resolved): ComparedAnswer {
  const { tokenizeMs, inferenceMs } = answer.timings;
  return {
    logits: answer.entry.logits,
    computeMs: isComputed(answer) ? tokenizeMs + inferenceMs : undefined,
  };
}

/** Whether the answer was computed for this input, and not for one before it or beside it. */
function isComputed({ outcome }: Resolved): boolean {
  return outcome === 'miss' || outcome === 'bypassed';
}

/** Whether an input failed for a reason that lies with the version, not with its caller or the load. */
function isServerFault(error: unknown): boolean {
  if (!(error instanceof VerdictError)) return true;
  return error.code === 'internal' || (error.code === 'unavailable' && error.reason !== 'DRAINING');
}
