import type { CacheKey, Computed, EntryShape, Flight, Keyspace } from '../cache/types.js';
import { callerLeft } from '../errors.js';
import type { TextInput, Truncation } from '../tokenizer/types.js';
import type { FormerVersion } from './former-version.js';
import type { LoadClaim } from './load-waiters.js';
import type { AppliedActivation, ProblemType } from './types.js';

/** Computes inputs once it is loaded. */
export interface ComputingVersion {
  compute(input: TextInput, truncation: Truncation, flight: Flight): Promise<Computed>;
}

/** A version that is not loaded and was before: what the cache holds of it answers at once, and anything else waits until it is loaded. */
export class AbsentVersion implements ComputingVersion {
  readonly name: string;
  readonly version: string;
  readonly digest: string;
  readonly labels: readonly string[];
  readonly problemType: ProblemType;
  readonly appliedActivation: AppliedActivation | undefined;
  readonly defaultTruncation: Truncation;
  readonly entryShape: EntryShape;
  readonly cacheKey: (input: TextInput, truncation: Truncation, keyspace: Keyspace) => CacheKey;
  readonly #whenLoaded: (claim: LoadClaim, input: TextInput) => Promise<ComputingVersion>;

  /**
   * @param whenLoaded resolves with the version once it is loaded as it was; rejects as DRAINING if another one has taken its place
   */
  constructor(
    former: FormerVersion<TextInput>,
    whenLoaded: (claim: LoadClaim, input: TextInput) => Promise<ComputingVersion>,
  ) {
    this.name = former.name;
    this.version = former.version;
    this.digest = former.digest;
    this.labels = former.labels;
    this.problemType = former.problemType;
    this.appliedActivation = former.appliedActivation;
    this.defaultTruncation = former.defaultTruncation;
    this.entryShape = former.entryShape;
    this.cacheKey = former.cacheKey;
    this.#whenLoaded = whenLoaded;
  }

  async compute(input: TextInput, truncation: Truncation, flight: Flight): Promise<Computed> {
    const left = new AbortController();
    flight.onAbandon(() => left.abort(callerLeft()));
    const { deadlineAt, serviceClass, trace } = flight;
    const version = await this.#whenLoaded({ signal: left.signal, deadlineAt, serviceClass, trace }, input);
    return version.compute(input, truncation, flight);
  }
}
