import type { Status } from '../../generated/google/rpc/status.js';
import { CacheOutcome } from '../../generated/verdict/v1/classification.js';
import type { ClassifyStreamResponse } from '../../generated/verdict/v1/classifier_service.js';

/** The most that the contract's counts hold: they stay there. */
const maxCount = 2 ** 32 - 1;

/** Counts what a stream has answered, for its `end` message. */
export class StreamTally {
  #failed = 0;
  #classified = 0;
  /** By the number of the cache outcome. */
  readonly #byCache: number[] = [];

  /** Responses sent. */
  get answered(): number {
    return this.#classified + this.#failed;
  }

  add(outcome: ClassifyStreamResponse['outcome']): void {
    if (outcome?.$case === 'classification') {
      const { cache } = outcome.value;
      this.#classified++;
      this.#byCache[cache] = (this.#byCache[cache] ?? 0) + 1;
    } else {
      this.#failed++;
    }
  }

  /** The last message of a stream that ends with this status. */
  endMessage(status: Status): ClassifyStreamResponse {
    const cacheCounts = [];
    for (const [outcome, count] of this.#byCache.entries()) {
      if (count > 0 && outcome !== CacheOutcome.UNSPECIFIED)
        cacheCounts.push({ outcome: outcome as CacheOutcome, count: atMost(count) });
    }
    const value = {
      classifiedCount: atMost(this.#classified),
      failedCount: atMost(this.#failed),
      cacheCounts,
      status,
    };
    return { id: '', index: atMost(this.answered), outcome: { $case: 'end', value } };
  }
}

function atMost(count: number): number {
  return Math.min(count, maxCount);
}
