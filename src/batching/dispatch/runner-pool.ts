import { Alarm, type Clock } from '../clock.js';
import type { Input } from '../queueing/input.js';
import type { Runner } from '../types.js';

/** A runner and what it is doing. */
export interface RunnerSlot<T, R> {
  readonly runner: Runner<T, R>;
  /** Takes an input that comes while nothing runs and nothing else waits, and no other. */
  readonly solo: boolean;
  /** What it runs now; undefined: it is free. */
  running: readonly Input<T, R>[] | undefined;
  startedAt: number;
  /** How often its run counts as busy time: settled at the start, since a sum that others read must not shrink. */
  share: number;
  /** When the run is predicted to end. */
  expectedEndAt: number;
  /** When it was last known to live: attached, or done with a run. */
  aliveAt: number;
}

/**
 * The attached runners, which of them are free, and how long they have been busy in all. Runners for solo inputs stand
 * apart: they are not counted, and neither their coming nor their going says whether there is a runner.
 */
export class RunnerPool<T, R> {
  readonly #attached = new Set<RunnerSlot<T, R>>();
  readonly #solo = new Set<RunnerSlot<T, R>>();
  /** Also those that were detached during a run. */
  readonly #busy = new Set<RunnerSlot<T, R>>();
  readonly #clock: Clock;
  readonly #graceMs: number;
  readonly #absence: Alarm;
  #busyMs = 0;
  #absent = false;
  #stopped = false;

  /** `onAbsent` is called when no runner has been attached for `graceMs`. */
  constructor(clock: Clock, graceMs: number, onAbsent: () => void) {
    this.#clock = clock;
    this.#graceMs = graceMs;
    this.#absence = new Alarm(clock, () => {
      this.#absent = true;
      onAbsent();
    });
    this.#absence.set(clock.now() + graceMs);
  }

  get size(): number {
    return this.#attached.size;
  }

  get busyCount(): number {
    return this.#busy.size;
  }

  /** No runner for longer than the grace: none is expected any more. */
  get absent(): boolean {
    return this.#absent;
  }

  /**
   * Time that runners have spent in runs, those under way included; two at once count twice, and one for solo inputs, which
   * has what all the others share, as often as there are others.
   */
  get busyMs(): number {
    const now = this.#clock.now();
    let total = this.#busyMs;
    for (const slot of this.#busy) total += (now - slot.startedAt) * slot.share;
    return total;
  }

  attach(runner: Runner<T, R>): RunnerSlot<T, R> {
    const slot = newSlot(runner, false, this.#clock.now());
    this.#attached.add(slot);
    this.#absent = false;
    this.#absence.cancel();
    return slot;
  }

  attachSolo(runner: Runner<T, R>): RunnerSlot<T, R> {
    const slot = newSlot(runner, true, this.#clock.now());
    this.#solo.add(slot);
    return slot;
  }

  /** Does nothing for a slot that was detached before. */
  detach(slot: RunnerSlot<T, R>): void {
    this.#solo.delete(slot);
    if (this.#attached.delete(slot) && this.#attached.size === 0 && !this.#stopped) {
      this.#absence.set(this.#clock.now() + this.#graceMs);
    }
  }

  idle(): RunnerSlot<T, R>[] {
    const idle: RunnerSlot<T, R>[] = [];
    for (const slot of this.#attached) if (slot.running === undefined) idle.push(slot);
    return idle;
  }

  /** A runner for solo inputs; undefined as long as anything runs. */
  idleSolo(): RunnerSlot<T, R> | undefined {
    if (this.#busy.size > 0) return undefined;
    const [slot] = this.#solo;
    return slot;
  }

  get hasIdle(): boolean {
    for (const slot of this.#attached) if (slot.running === undefined) return true;
    return false;
  }

  begin(slot: RunnerSlot<T, R>, inputs: readonly Input<T, R>[], expectedMs: number): void {
    slot.running = inputs;
    slot.share = slot.solo ? Math.max(1, this.#attached.size) : 1;
    slot.startedAt = this.#clock.now();
    slot.expectedEndAt = slot.startedAt + expectedMs;
    this.#busy.add(slot);
  }

  /** Returns how long the run took, hand-over included. */
  end(slot: RunnerSlot<T, R>): number {
    const elapsedMs = this.#clock.now() - slot.startedAt;
    slot.running = undefined;
    this.#busy.delete(slot);
    this.#busyMs += elapsedMs * slot.share;
    return elapsedMs;
  }

  /** The inputs of the runs under way, those that were answered meanwhile included. */
  running(): Input<T, R>[] {
    return [...this.#busy].flatMap((slot) => slot.running ?? []);
  }

  /** What is predicted to be left of the runs under way, summed over the runners. */
  remainingMs(): number {
    const now = this.#clock.now();
    let total = 0;
    for (const slot of this.#busy) total += Math.max(0, slot.expectedEndAt - now);
    return total;
  }

  /** Stops the timer for good. */
  stop(): void {
    this.#stopped = true;
    this.#absence.cancel();
  }
}

function newSlot<T, R>(runner: Runner<T, R>, solo: boolean, aliveAt: number): RunnerSlot<T, R> {
  return { runner, solo, running: undefined, startedAt: 0, share: 1, expectedEndAt: 0, aliveAt };
}
