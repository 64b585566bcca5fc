import type { Claim } from '../claim.js';
import { reasonNotToWait } from './flight-waiter.js';
import { type FlightWork, SharedFlight } from './shared-flight.js';
import type { CacheKey, Resolved } from './types.js';

/** The flights under way, at most one per key that can be joined. */
export class SingleFlight {
  readonly #flights = new Map<CacheKey, SharedFlight>();
  readonly #onJoin: (() => void) | undefined;

  constructor(onJoin?: () => void) {
    this.#onJoin = onJoin;
  }

  /** Flights that can be joined. */
  get size(): number {
    return this.#flights.size;
  }

  /** Joins the flight under way for the key, or begins one. */
  joinOrStart(key: CacheKey, claim: Claim, work: FlightWork): Promise<Resolved> {
    const refusal = reasonNotToWait(claim);
    if (refusal !== undefined) return Promise.reject(refusal);
    const flight = this.#flights.get(key);
    if (flight === undefined) return this.#start(key, claim, work);
    this.#onJoin?.();
    return flight.join(claim, work);
  }

  /** Begins a flight for later callers to join; one under way goes on for those who wait for it. */
  replace(key: CacheKey, claim: Claim, work: FlightWork): Promise<Resolved> {
    const refusal = reasonNotToWait(claim);
    if (refusal !== undefined) return Promise.reject(refusal);
    const old = this.#flights.get(key);
    if (old !== undefined) old.superseded = true;
    return this.#start(key, claim, work);
  }

  /** Begins a flight that nobody can join. */
  alone(claim: Claim, work: FlightWork): Promise<Resolved> {
    const refusal = reasonNotToWait(claim);
    if (refusal !== undefined) return Promise.reject(refusal);
    return new SharedFlight(ignore).start(claim, work);
  }

  #start(key: CacheKey, claim: Claim, work: FlightWork): Promise<Resolved> {
    const flight = new SharedFlight((ended) => {
      if (this.#flights.get(key) === ended) this.#flights.delete(key);
    });
    this.#flights.set(key, flight);
    return flight.start(claim, work);
  }
}

function ignore(): void {}
