import type { MaybePromise } from '../concurrency/maybe-promise.js';
import { Allowance } from './allowance.js';
import { inFlightWait, overLimit } from './refusals.js';
import type { SharedAllowances } from './shared-allowances.js';
import type { RateLimit, RateLimitHooks, RateLimits } from './types.js';

export interface AccountParts {
  readonly shared?: SharedAllowances | undefined;
  readonly hooks?: RateLimitHooks | undefined;
}

/** What one caller has used, and may use. */
export class Account {
  readonly #caller: string;
  readonly #parts: AccountParts;
  #limits: RateLimits;
  #requests: Allowance | undefined;
  #tokens: Allowance | undefined;
  /** The latest ones, which may be out of force: tokens of one subject may have different limits, and take turns. */
  #latest: { readonly requests: Allowance | undefined; readonly tokens: Allowance | undefined };
  #inFlight = 0;

  /** @param caller as the log names it */
  constructor(caller: string, limits: RateLimits, parts: AccountParts = {}) {
    this.#caller = caller;
    this.#parts = parts;
    this.#limits = limits;
    this.#requests = allowanceOf(limits.requestsPerMinute);
    this.#tokens = allowanceOf(limits.tokensPerMinute);
    this.#latest = { requests: this.#requests, tokens: this.#tokens };
  }

  /** These limits hold from now on. What was used under the former ones stays used, as a share. */
  limit(limits: RateLimits): void {
    if (limits === this.#limits) return;
    this.#limits = limits;
    const { requests, tokens } = this.#latest;
    this.#requests = allowanceOf(limits.requestsPerMinute, requests);
    this.#tokens = allowanceOf(limits.tokensPerMinute, tokens);
    this.#latest = { requests: this.#requests ?? requests, tokens: this.#tokens ?? tokens };
  }

  /**
   * Lets inputs in, all or none. Each has to leave. Returns without a promise unless the allowances are shared.
   * @throws VerdictError resource_exhausted, also by rejection
   */
  enter(inputs: number): MaybePromise<void> {
    const { textsInFlight } = this.#limits;
    if (textsInFlight > 0 && this.#inFlight + inputs > textsInFlight)
      throw this.#refusal('textsInFlight', inputs, inFlightWait(inputs, this.#limits));
    const answer = this.#parts.shared?.enter(this.#caller, this.#limits, inputs) ?? 'away';
    if (answer === 'away') {
      this.#spend(inputs);
      this.#inFlight += inputs;
      return undefined;
    }
    this.#inFlight += inputs;
    return this.#enterShared(inputs, answer);
  }

  /**
   * An input has ended.
   * @param tokens that were read for it, whoever computed them; 0: it failed
   */
  leave(tokens: number): void {
    this.#inFlight--;
    if (tokens === 0 || this.#tokens === undefined) return;
    if (this.#parts.shared?.spendTokens(this.#caller, this.#limits, tokens) !== true)
      this.#tokens.spend(tokens, performance.now());
  }

  async #enterShared(
    inputs: number,
    answer: Exclude<ReturnType<SharedAllowances['enter']>, 'away'>,
  ): Promise<void> {
    try {
      const refused = await answer;
      if (refused === 'away') this.#spend(inputs);
      else if (refused !== undefined) throw this.#refusal(refused.limit, inputs, refused.waitMs);
    } catch (error) {
      this.#inFlight -= inputs;
      throw error;
    }
  }

  /** By this server's own count: that of all servers is not at hand, or not asked for. */
  #spend(inputs: number): void {
    const now = performance.now();
    const owed = this.#tokens?.waitMs(0, now) ?? 0;
    if (owed > 0) throw this.#refusal('tokensPerMinute', inputs, owed);
    const wait = this.#requests?.waitMs(inputs, now) ?? 0;
    if (wait > 0) throw this.#refusal('requestsPerMinute', inputs, wait);
    this.#requests?.spend(inputs, now);
  }

  #refusal(limit: RateLimit, inputs: number, waitMs: number): Error {
    this.#parts.hooks?.onRefused?.(limit, inputs);
    return overLimit(limit, this.#limits, this.#caller, waitMs);
  }
}

function allowanceOf(perMinute: number, former?: Allowance): Allowance | undefined {
  if (perMinute === 0) return undefined;
  const allowance = new Allowance(perMinute);
  if (former !== undefined) allowance.continue(former);
  return allowance;
}
