import type { WeightedFlow } from '../claim.js';
import type { RateLimits } from '../ratelimit/types.js';
import type { CacheSharing } from './cache-sharing.js';
import type { Scope } from './scopes.js';

export interface IdentityFacts {
  /** As the log shows it: `key:search`. Never a credential. */
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Names of models; undefined: all, those that come later too. */
  readonly models: readonly string[] | undefined;
  /** What it may use; undefined: what the settings give every caller. */
  readonly limits: RateLimits | undefined;
  /** Whose cached answers it gets; undefined: as the settings say for every caller. */
  readonly cache: CacheSharing | undefined;
  /** Stands for the caller in the batcher's queues. It outlives changes of the other facts. */
  readonly flow: WeightedFlow;
}

/** Who calls, and what of the server is open to them. */
export class Identity {
  readonly name: string;
  readonly flow: WeightedFlow;
  readonly limits: RateLimits | undefined;
  readonly cache: CacheSharing | undefined;
  readonly #scopes: ReadonlySet<Scope>;
  readonly #models: ReadonlySet<string> | undefined;

  constructor({ name, scopes, models, limits, cache, flow }: IdentityFacts) {
    this.name = name;
    this.flow = flow;
    this.limits = limits;
    this.cache = cache;
    this.#scopes = new Set(scopes);
    this.#models = models === undefined ? undefined : new Set(models);
    Object.freeze(this);
  }

  has(scope: Scope): boolean {
    return this.#scopes.has(scope);
  }

  mayUse(model: string): boolean {
    return this.#models === undefined || this.#models.has(model);
  }
}
