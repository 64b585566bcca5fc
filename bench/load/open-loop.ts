/** Time as the loop sees it; tests turn it by hand. */
export interface LoopClock {
  /** Milliseconds. */
  now(): number;
  /** Calls back once after `delayMs` or a little later, and never in the same turn. */
  after(delayMs: number, callback: () => void): void;
}

export interface OpenLoopOptions {
  /** Intended send times in milliseconds after the start, ascending. */
  readonly arrivals: { next(): number };
  /** No call is sent whose intended time lies beyond it. */
  readonly durationMs: number;
  /** Sends call `index`, intended for the time `intendedAt` on the clock. Resolves when it is answered; never rejects. */
  readonly send: (index: number, intendedAt: number) => Promise<void>;
  readonly clock: LoopClock;
}

/**
 * Sends calls at their intended times whatever became of the earlier ones, then waits until all are answered. A loop
 * that was held up sends at once, late, all that fell due; since latencies count from the intended time, the delay
 * shows in them. A closed loop, or latencies from the real send time, would hide it ("coordinated omission").
 *
 * @returns by how much each call left later than intended, in milliseconds
 */
export async function runOpenLoop(options: OpenLoopOptions): Promise<number[]> {
  const { arrivals, durationMs, send, clock } = options;
  const startedAt = clock.now();
  const lagsMs: number[] = [];
  let unanswered = 1;
  let allAnswered = (): void => {};
  const answered = (): void => {
    if (--unanswered === 0) allAnswered();
  };
  for (let due = arrivals.next(); due <= durationMs; ) {
    // What falls due while these are sent waits for the next turn, so that answers are read in between.
    const now = clock.now();
    for (; due <= durationMs && startedAt + due <= now; due = arrivals.next()) {
      unanswered++;
      void send(lagsMs.length, startedAt + due).then(answered);
      lagsMs.push(now - startedAt - due);
    }
    if (due <= durationMs) {
      const waitMs = Math.max(0, startedAt + due - clock.now());
      await new Promise<void>((resolve) => clock.after(waitMs, resolve));
    }
  }
  await new Promise<void>((resolve) => {
    allAnswered = resolve;
    answered();
  });
  return lagsMs;
}
