import type { ClassifierHooks } from '../classify/types.js';
import { BatchCounts } from './batch-counts.js';
import { type EndedInput, InputCounts } from './input-counts.js';
import { memoryOf } from './process-memory.js';
import type { ProcessMemory, StatisticsReader, VersionHooks, VersionStatistics } from './types.js';

interface Version {
  readonly since: number;
  readonly inputs: InputCounts;
  readonly batches: BatchCounts;
  /** Its session processes; some of them may have ended. */
  readonly pids: Set<number>;
  /** A look at them that is under way, shared by all who ask meanwhile: it opens files. */
  memory: Promise<ProcessMemory | undefined> | undefined;
  readonly hooks: VersionHooks;
}

export interface ModelStatisticsParts {
  /** Unix time in milliseconds. */
  readonly now?: () => number;
  readonly memoryOf?: (pids: Iterable<number>) => Promise<ProcessMemory | undefined>;
}

/** Counts what versions do, by the events that other parts announce. */
export class ModelStatistics implements StatisticsReader, ClassifierHooks {
  readonly #now: () => number;
  readonly #memoryOf: (pids: Iterable<number>) => Promise<ProcessMemory | undefined>;
  /** By model and version. */
  readonly #models = new Map<string, Map<string, Version>>();

  constructor(parts: ModelStatisticsParts = {}) {
    this.#now = parts.now ?? Date.now;
    this.#memoryOf = parts.memoryOf ?? memoryOf;
  }

  /** Begins to count for a version, or goes on. */
  version(model: string, version: string): VersionHooks {
    const versions = this.#models.get(model) ?? new Map<string, Version>();
    this.#models.set(model, versions);
    const counted = versions.get(version) ?? this.#create();
    versions.set(version, counted);
    return counted.hooks;
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

  async of(model: string): Promise<readonly VersionStatistics[]> {
    const versions = [...(this.#models.get(model) ?? [])].sort(([a], [b]) => Number(b) - Number(a));
    return Promise.all(
      versions.map(async ([version, counted]) => ({
        version,
        since: counted.since,
        memory: await this.#memory(counted),
        batches: counted.batches.totals,
        ...counted.inputs.totals,
      })),
    );
  }

  #memory(of: Version): Promise<ProcessMemory | undefined> {
    of.memory ??= this.#memoryOf(of.pids).finally(() => {
      of.memory = undefined;
    });
    return of.memory;
  }

  #create(): Version {
    const batches = new BatchCounts();
    const pids = new Set<number>();
    return {
      since: this.#now(),
      inputs: new InputCounts(this.#now),
      batches,
      pids,
      memory: undefined,
      hooks: {
        batcher: { onBatch: (batch) => batches.add(batch) },
        runtime: {
          onInstanceReady({ pid }) {
            // Nobody tells of sessions that end as they should.
            for (const known of pids) if (!isAlive(known)) pids.delete(known);
            pids.add(pid);
          },
          onInstanceLost({ pid }) {
            if (pid !== undefined) pids.delete(pid);
          },
        },
      },
    };
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
