import { type ResultCache, sharedKeyspace } from '../cache/types.js';
import { WeightedFlow } from '../claim.js';
import type { ClassifyingModel } from '../classify/classifier-pipeline.js';
import { heldLabels } from '../models/held-labels.js';
import { equalRest } from '../models/paced-run.js';
import type { WarmUp } from '../models/types.js';
import type { RecentInput, RecentInputs } from './recent-inputs.js';

/** A version takes over after this, however many inputs are left: a slow model is not worth more of a delay. */
const LIMIT_MS = 60_000;
/** An input that takes longer is left out. */
const INPUT_LIMIT_MS = 10_000;
const FLOW = new WeightedFlow(0.1);

export interface WarmUpsParts {
  readonly recent: RecentInputs;
  readonly cache: Pick<ResultCache, 'resolve'>;
  /** A monotonic clock in milliseconds. */
  readonly now: () => number;
}

/** Runs the latest inputs through versions that are about to take over: their answers are cached, and compared with the former ones. */
export class WarmUps {
  readonly #parts: WarmUpsParts;
  readonly #versions = new Set<ClassifyingModel>();

  constructor(parts: WarmUpsParts) {
    this.#parts = parts;
  }

  /** Versions of which answers may be cached, though they do not serve yet. @param model empty: of all models */
  versions(model: string): readonly ClassifyingModel[] {
    return [...this.#versions].filter(({ name }) => model === '' || name === model);
  }

  /**
   * Leaves the machine half of the time. Answers go through the cache, as those of callers do: what another server has computed is
   * taken from Redis, and what is forgotten meanwhile is not kept.
   * @param version counts among `versions` until `end`
   * @param former the version whose place it takes
   * @throws the signal's reason
   */
  async warm(
    version: ClassifyingModel,
    former: ClassifyingModel,
    signal: AbortSignal,
  ): Promise<WarmUp | undefined> {
    const { recent, now } = this.#parts;
    const inputs = recent.of(version.name);
    if (inputs.length === 0) return undefined;
    this.#versions.add(version);
    const rest = equalRest(signal);
    const counts = { texts: 0, failed: 0, compared: 0, flipped: 0 };
    const isComparable = haveSameLabels(version, former);
    const startedAt = now();
    try {
      // The latest first: there may not be the time for all.
      for (const one of inputs) {
        const runsFrom = now();
        if (runsFrom - startedAt > LIMIT_MS) break;
        if (!recent.has(version.name, one.input)) continue;
        const held = await this.#ask(version, one, signal);
        signal.throwIfAborted();
        counts.texts++;
        if (held === undefined) counts.failed++;
        else if (isComparable && one.digest === former.digest) {
          counts.compared++;
          if (held !== one.held) counts.flipped++;
        }
        await rest(now() - runsFrom);
      }
      return counts;
    } catch (error) {
      this.end(version);
      throw signal.aborted ? signal.reason : error;
    }
  }

  /** The version serves from now on, or never will. */
  end(version: ClassifyingModel): void {
    this.#versions.delete(version);
  }

  /** @returns the labels that hold; undefined: there was no answer */
  async #ask(
    version: ClassifyingModel,
    { input, truncation = version.defaultTruncation }: RecentInput,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const claim = {
      signal,
      deadlineAt: performance.now() + INPUT_LIMIT_MS,
      serviceClass: 'bulk',
      flow: FLOW,
      whenFull: 'refuse',
    } as const;
    try {
      const { entry } = await this.#parts.cache.resolve(
        version.cacheKey(input, truncation, sharedKeyspace),
        version.entryShape,
        'use',
        claim,
        (flight) => version.compute(input, truncation, flight),
      );
      return heldLabels(entry.logits, version.problemType, version.appliedActivation);
    } catch {
      return undefined;
    }
  }
}

function haveSameLabels(version: ClassifyingModel, former: ClassifyingModel): boolean {
  return (
    version.problemType === former.problemType &&
    version.problemType !== 'regression' &&
    version.labels.join('\n') === former.labels.join('\n')
  );
}
