import { Batcher } from '../../../src/batching/batcher.js';
import type { BatcherHooks, BatcherOptions, Submission } from '../../../src/batching/types.js';
import type { SharedClaim } from '../../../src/claim.js';
import { VerdictError } from '../../../src/errors.js';
import { VirtualClock } from '../../../src/simulation/virtual-clock.js';
import type { Text } from './fake-runners.js';

export const defaultOptions: BatcherOptions = {
  policy: 'length',
  budgetTokens: 100,
  maxBatchItems: 8,
  maxQueueItems: 16,
  maxQueueTokens: 10_000,
  maxDelayMs: 0,
  interactiveWeight: 4,
  maxRunMs: 0,
  maxRunPercent: 0,
  lookAhead: 256,
  maxAgeMs: 1_000,
  noRunnerGraceMs: 5_000,
};

export interface Setup {
  readonly clock: VirtualClock;
  readonly batcher: Batcher<Text, string>;
  /** Names of the hook events so far, as `hook:reason`. */
  readonly events: string[];
  /** Submits a text of this length. */
  readonly submit: (name: string, tokens?: number, claim?: Partial<SharedClaim>) => Submission<string>;
}

/** A claim that may be changed afterwards, by whoever holds the object it was made of. */
export function claimOf(claim: Partial<SharedClaim>): SharedClaim {
  return {
    get deadlineAt() {
      return claim.deadlineAt ?? Number.POSITIVE_INFINITY;
    },
    get serviceClass() {
      return claim.serviceClass ?? 'interactive';
    },
    get flow() {
      return claim.flow;
    },
    whenFull: claim.whenFull ?? 'refuse',
    trace: claim.trace,
  };
}

/** A batcher on a virtual clock, without a runner. */
export function setUp(options: Partial<BatcherOptions> = {}, hooks: BatcherHooks = {}): Setup {
  const clock = new VirtualClock();
  const events: string[] = [];
  const batcher = new Batcher<Text, string>(
    { ...defaultOptions, ...options },
    {
      onShed: (reason) => events.push(`shed:${reason}`),
      onRetry: (reason) => events.push(`retry:${reason}`),
      onBatch: ({ items, reason }) => events.push(`batch:${items}:${reason}`),
      ...hooks,
    },
    clock,
  );
  return {
    clock,
    batcher,
    events,
    submit: (name, tokens = 10, claim = {}) => batcher.submit({ name, tokens }, tokens, claimOf(claim)),
  };
}

/** How a submission stands: its value, `code REASON` of its error, or `pending`. */
export async function outcomeOf(submission: Submission<string>): Promise<string> {
  const pending = new Promise<string>((resolve) => setImmediate(() => resolve('pending')));
  const settled = submission.result.then(
    (result) => result.value,
    (error: unknown) => (error instanceof VerdictError ? `${error.code} ${error.reason}` : String(error)),
  );
  return Promise.race([settled, pending]);
}

/** The error that a submission was refused with. */
export async function errorOf(submission: Submission<string>): Promise<VerdictError> {
  try {
    await submission.result;
  } catch (error) {
    if (error instanceof VerdictError) return error;
  }
  throw new Error('the submission was not refused with a VerdictError');
}
