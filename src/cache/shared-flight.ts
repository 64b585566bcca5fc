import type { Claim, ServiceClass } from '../claim.js';
import { VerdictError } from '../errors.js';
import { FlightWaiter } from './flight-waiter.js';
import type { Flight, Resolved } from './types.js';

/** Finds the result: the way that begins after the memory tier has missed. */
export type FlightWork = (flight: SharedFlight) => Promise<Resolved>;

/**
 * One computation under way and everybody who waits for it. The first waiter leads: its work is done, and under its
 * rule for a full queue. The flight goes on while anybody waits.
 *
 * An error is everybody's, for the inputs are the same. Three errors, though, speak of the leader rather than of the
 * input, and whoever they do not speak of tries again with work of their own, led by the first of them:
 * `resource_exhausted` met by a leader that refuses to queue, for those who would have queued; `deadline_exceeded`
 * and `cancelled`, for all but the leader. Every attempt takes its leader with it, so attempts end.
 */
export class SharedFlight implements Flight {
  abandoned = false;
  serviceClass: ServiceClass = 'bulk';
  whenFull: Claim['whenFull'] = 'refuse';
  flow: object | undefined;
  deadlineAt = Number.NEGATIVE_INFINITY;
  /** A refresh began after this flight, so what it finds is not worth keeping. */
  superseded = false;
  readonly #waiters = new Map<FlightWaiter, FlightWork>();
  readonly #onEnd: (flight: SharedFlight) => void;
  #abandonListeners: (() => void)[] = [];
  #urgentListeners: (() => void)[] = [];

  /** @param onEnd called once, before anybody hears of the result: nobody can join any more */
  constructor(onEnd: (flight: SharedFlight) => void) {
    this.#onEnd = onEnd;
  }

  /** Begins the flight, led by this waiter. */
  start(claim: Claim, work: FlightWork): Promise<Resolved> {
    const leader = this.#add(claim, work);
    this.whenFull = claim.whenFull;
    void this.#fly(leader, work);
    return leader.promise;
  }

  /** Waits for what is under way. `work` is done only if the leader's ends in an error that is the leader's alone. */
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
        this.#abandonListeners = [];
        this.#urgentListeners = [];
      }
    }
  }

  #land(leader: FlightWaiter, resolved: Resolved): void {
    this.#onEnd(this);
    const now = performance.now();
    for (const waiter of this.#waiters.keys()) {
      waiter.resolve(waiter === leader ? resolved : coalesced(resolved, now - waiter.joinedAt));
    }
  }

  /** Rejects those whom the error is for. */
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
