import type { Keyspace, Resolved } from '../cache/types.js';
import type { AnswerWatch, ClassifyingModel } from '../classify/classifier-pipeline.js';
import type { AnswerListener, InputRequest } from '../classify/types.js';
import type { RecentInputs } from './recent-inputs.js';
import type { ComparisonCatalog, VersionComparison } from './types.js';
import { WatchedModel, type WatchedModelParts } from './watched-model.js';

export interface LiveComparisonsParts extends WatchedModelParts {
  /** Undefined: no inputs are kept. */
  readonly recent: RecentInputs | undefined;
}

/**
 * Compares versions by what callers ask, for the models of which a shadow or a rollback rule is set, and keeps what they have asked
 * lately where a setting says so.
 */
export class LiveComparisons implements AnswerWatch, AnswerListener<ClassifyingModel>, ComparisonCatalog {
  readonly #parts: LiveComparisonsParts;
  readonly #models = new Map<string, WatchedModel>();
  /** Undefined where nothing is set of any model, and no inputs are kept. A field: every input reads it. */
  listener: AnswerListener<ClassifyingModel> | undefined;
  #isStopped = false;

  constructor(parts: LiveComparisonsParts) {
    this.#parts = parts;
    this.#listen();
  }

  /** Takes over what is set by now. */
  refresh(): void {
    const { versions, recent } = this.#parts;
    const { routings } = versions;
    recent?.retain(versions.names);
    if (this.#isStopped || (routings.size === 0 && this.#models.size === 0)) return;
    for (const [name, { shadow, rollback }] of routings) {
      if (shadow === undefined && rollback === undefined) continue;
      const watched = this.#models.get(name) ?? new WatchedModel(name, this.#parts);
      this.#models.set(name, watched);
      watched.configure(shadow, rollback);
    }
    for (const [name, watched] of this.#models) {
      const routing = routings.get(name);
      if (routing?.shadow !== undefined || routing?.rollback !== undefined) continue;
      watched.stop();
      this.#models.delete(name);
    }
    this.#listen();
  }

  onAnswer(
    model: ClassifyingModel,
    request: InputRequest,
    keyspace: Keyspace | undefined,
    resolved: Resolved,
    startedAt: number,
  ): void {
    this.#parts.recent?.keep(model, request, keyspace, resolved, startedAt);
    this.#models.get(model.name)?.onAnswer(model, request, resolved);
  }

  onFailure(model: ClassifyingModel, request: InputRequest, error: unknown): void {
    this.#models.get(model.name)?.onFailure(model, request, error);
  }

  compare(model: string, candidate: string): readonly VersionComparison[] {
    this.#parts.versions.get(model);
    return this.#models.get(model)?.comparisons(candidate) ?? [];
  }

  /** Gives up what is under way. Nothing is compared any more. */
  stop(): void {
    this.#isStopped = true;
    for (const watched of this.#models.values()) watched.stop();
    this.#models.clear();
    this.#listen();
  }

  #listen(): void {
    this.listener = this.#models.size === 0 && this.#parts.recent === undefined ? undefined : this;
  }
}
