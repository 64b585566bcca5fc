import type { Claim, InputTrace, ServiceClass } from '../claim.js';
import { VerdictError } from '../errors.js';
import { FlightWaiter, reasonNotToWait } from './flight-waiter.js';
import type { CacheKey, Flight, Resolved } from './types.js';

/** Finds the result after a miss in the memory tier. */
export type FlightWork = (flight: SharedFlight) => Promise<Resolved>;

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

  /** Joins the flight under way for the key, or starts one. */
  joinOrStart(key: CacheKey, claim: Claim, work: FlightWork): Promise<Resolved> {
    const refusal = reasonNotToWait(claim);
    if (refusal !== undefined) return Promise.reject(refusal);
    const flight = this.#flights.get(key);
    if (flight === undefined) return this.#start(key, claim, work);
    this.#onJoin?.();
    return flight.join(claim, work);
  }

  /** Starts a flight for later callers to join; a flight under way continues for its waiters. */
  replace(key: CacheKey, claim: Claim, work: FlightWork): Promise<Resolved> {
    const refusal = reasonNotToWait(claim);
    if (refusal !== undefined) return Promise.reject(refusal);
    this.supersede(key);
    return this.#start(key, claim, work);
  }

  /** Nobody joins the flight under way for the key any more, and its result is not kept. It goes on for its waiters. */
  supersede(key: CacheKey): void {
    const flight = this.#flights.get(key);
    if (flight === undefined) return;
    flight.superseded = true;
    this.#flights.delete(key);
  }

  /** Starts a flight that nobody can join. */
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

/**
 * One computation under way and everybody who waits for it. The first waiter leads: the flight does its work, under its
 * rule for a full queue. The flight continues while anybody waits.
 *
 * An error rejects every waiter, because their inputs are the same. Three errors, though, concern only the leader; the
 * other waiters try again with their own work, led by the first of them: `resource_exhausted` of a leader that does not
 * wait in the overflow, for waiters that would have waited; `deadline_exceeded` and `cancelled`, for all but the
 * leader. Every attempt loses its leader, so attempts end.
 */
export class SharedFlight implements Flight {
  abandoned = false;
  serviceClass: ServiceClass = 'bulk';
  whenFull: Claim['whenFull'] = 'refuse';
  flow: object | undefined;
  /** Its leader's. */
  trace: InputTrace | undefined;
  deadlineAt = Number.NEGATIVE_INFINITY;
  /** A refresh began after this flight, or its input was forgotten, so its result is not to be kept. */
  superseded = false;
  readonly #waiters = new Map<FlightWaiter, FlightWork>();
  readonly #onEnd: (flight: SharedFlight) => void;
  #abandonListeners: (() => void)[] = [];
  #urgentListeners: (() => void)[] = [];

  /** @param onEnd called once, before any waiter gets the result: nobody can join any more */
  constructor(onEnd: (flight: SharedFlight) => void) {
    this.#onEnd = onEnd;
  }

  /** Starts the flight, led by this waiter. */
  start(claim: Claim, work: FlightWork): Promise<Resolved> {
    const leader = this.#add(claim, work);
    this.whenFull = claim.whenFull;
    this.trace = claim.trace;
    void this.#fly(leader, work);
    return leader.promise;
  }

  /**
   * Waits for the computation under way. `work` runs only if the leader's work ends in an error that concerns only the
   * leader.
   */
  join(claim: Claim, work: FlightWork): Promise<Resolved> {
    return this.#add(claim, work).promise;
  }

  leave(waiter: FlightWaiter): void {
    this.#waiters.delete(waiter);
    if (this.#waiters.size > 0) return;
    this.abandoned = true;
    this.#onEnd(this);
    for (const listener of this.#abandonListeners) listener();
    this.#abandonListeners = [];
  }

  onAbandon(listener: () => void): void {
    if (this.abandoned) listener();
    else this.#abandonListeners.push(listener);
  }

  onUrgent(listener: () => void): void {
    if (this.serviceClass === 'bulk') this.#urgentListeners.push(listener);
  }

  #add(claim: Claim, work: FlightWork): FlightWaiter {
    this.#hurry(claim);
    const added = new FlightWaiter(this, claim);
    this.#waiters.set(added, work);
    if (claim.deadlineAt > this.deadlineAt) this.deadlineAt = claim.deadlineAt;
    return added;
  }

  /** The flight takes the class and the flow of its first waiter, and then of the first who is more urgent. */
  #hurry({ serviceClass, flow }: Claim): void {
    const isFirst = this.#waiters.size === 0;
    if (!isFirst && (this.serviceClass === 'interactive' || serviceClass === 'bulk')) return;
    this.serviceClass = serviceClass;
    this.flow = flow;
    for (const listener of this.#urgentListeners) listener();
    this.#urgentListeners = [];
  }

  async #fly(firstLeader: FlightWaiter, firstWork: FlightWork): Promise<void> {
    let leader = firstLeader;
    let work = firstWork;
    for (;;) {
      try {
        const resolved = await work(this);
        if (!this.abandoned) this.#land(leader, resolved);
        return;
      } catch (error) {
        if (this.abandoned) return;
        this.#failAttempt(leader, error);
        const [next] = this.#waiters;
        if (next === undefined) return;
        [leader, work] = next;
        this.whenFull = leader.whenFull;
        this.trace = leader.trace;
        this.#abandonListeners = [];
        this.#urgentListeners = [];
      }
    }
  }

  #land(leader: FlightWaiter, resolved: Resolved): void {
    this.#onEnd(this);
    const now = performance.now();
    for (const waiter of this.#waiters.keys()) {
      if (waiter === leader) waiter.resolve(resolved);
      else {
        waiter.trace?.stage('join', waiter.joinedAt, now, leader.trace);
        waiter.resolve(coalesced(resolved, now - waiter.joinedAt));
      }
    }
  }

  /** Rejects the waiters that the error concerns. */
  #failAttempt(leader: FlightWaiter, error: unknown): void {
    const failed = [...this.#waiters.keys()].filter(
      (waiter) => waiter === leader || !mayTryAgain(waiter, leader, error),
    );
    for (const waiter of failed) this.#waiters.delete(waiter);
    if (this.#waiters.size === 0) this.#onEnd(this);
    for (const waiter of failed) waiter.reject(error);
  }
}

function mayTryAgain(waiter: FlightWaiter, leader: FlightWaiter, error: unknown): boolean {
  if (!(error instanceof VerdictError)) return false;
  if (error.code === 'resource_exhausted') return waiter.whenFull === 'wait' && leader.whenFull !== 'wait';
  return error.code === 'deadline_exceeded' || error.code === 'cancelled';
}

function coalesced({ entry }: Resolved, waitedMs: number): Resolved {
  return {
    entry,
    outcome: 'coalesced',
    timings: { tokenizeMs: 0, queueMs: waitedMs, inferenceMs: 0, batchSize: 0 },
  };
}

function ignore(): void {}
