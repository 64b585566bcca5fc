import { LRUCache } from 'lru-cache';
import { Account } from './account.js';
import type { SharedAllowances } from './shared-allowances.js';
import type { RateLimitHooks, RateLimits } from './types.js';

/** Callers remembered at a time. Who comes from more addresses than this is stopped by other limits. */
const maxAccounts = 50_000;

export interface RateLimiterOptions {
  /** Of callers whose identity sets none. */
  readonly defaults: RateLimits;
  /** Shared by all servers. Undefined: each server counts for itself. */
  readonly shared?: SharedAllowances | undefined;
  readonly hooks?: RateLimitHooks;
}

/** The accounts of all callers. */
export class RateLimiter {
  readonly #options: RateLimiterOptions;
  readonly #accounts = new LRUCache<string, Account>({ max: maxAccounts });

  constructor(options: RateLimiterOptions) {
    this.#options = options;
  }

  /**
   * The caller's account; undefined if no limit holds for it.
   * @param caller its name, the same on all its connections
   * @param limits of its identity; undefined: the default ones
   */
  accountOf(caller: string, limits = this.#options.defaults): Account | undefined {
    if (isUnlimited(limits)) return undefined;
    let account = this.#accounts.get(caller);
    if (account === undefined) {
      account = new Account(caller, limits, this.#options);
      this.#accounts.set(caller, account);
    }
    account.limit(limits);
    return account;
  }
}

function isUnlimited({ requestsPerMinute, tokensPerMinute, textsInFlight }: RateLimits): boolean {
  return requestsPerMinute === 0 && tokensPerMinute === 0 && textsInFlight === 0;
}
