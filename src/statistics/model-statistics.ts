import type { ClassifierHooks } from '../classify/types.js';
import { BatchCounts } from './batch-counts.js';
import { type EndedInput, InputCounts } from './input-counts.js';
import type { BatchHooks, StatisticsReader, VersionStatistics } from './types.js';

interface Version {
  readonly since: number;
  readonly inputs: InputCounts;
  readonly batches: BatchCounts;
}

/** Counts what versions do, by the events that other parts announce. */
export class ModelStatistics implements StatisticsReader, ClassifierHooks {
  readonly #now: () => number;
  /** By model and version. */
  readonly #models = new Map<string, Map<string, Version>>();

  /** @param now Unix time in milliseconds */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Begins to count for a version, or goes on. */
  version(model: string, version: string): BatchHooks {
    const versions = this.#models.get(model) ?? new Map<string, Version>();
    this.#models.set(model, versions);
    const counted = versions.get(version) ?? this.#create();
    versions.set(version, counted);
    return { onBatch: (batch) => counted.batches.add(batch) };
  }

  /** Forgets what was counted for a version: it is gone. */
  forget(model: string, version: string): void {
    const versions = this.#models.get(model);
    versions?.delete(version);
    if (versions?.size === 0) this.#models.delete(model);
  }

  onInput(input: EndedInput): void {
    // What names no version that there is counts nowhere: callers could make up names without end.
    this.#models.get(input.model)?.get(input.version)?.inputs.add(input);
  }

  of(model: string): readonly VersionStatistics[] {
    const versions = [...(this.#models.get(model) ?? [])].sort(([a], [b]) => Number(b) - Number(a));
    return versions.map(([version, { since, inputs, batches }]) => ({
      version,
      since,
      batches: batches.totals,
      ...inputs.totals,
    }));
  }

  #create(): Version {
    return { since: this.#now(), inputs: new InputCounts(this.#now), batches: new BatchCounts() };
  }
}
