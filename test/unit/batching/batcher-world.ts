import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  OutOfMemoryError,
  type PolicyName,
  RunnerLostError,
  type ServiceClass,
  type Submission,
} from '../../../src/batching/types.js';
import { VerdictError } from '../../../src/errors.js';
import { setUp } from './batcher-setup.js';
import { ManualRunner } from './fake-runners.js';

/** What runs cost there. */
export const COST = { baseMs: 5, msPerToken: 0.5, msPerTokenSquared: 0 };
const OPTIONS = {
  budgetTokens: 120,
  maxBatchItems: 6,
  maxQueueItems: 20,
  maxAgeMs: 200,
  noRunnerGraceMs: 300,
};

/** What inputs belong to; the first has none of its own. */
const FLOWS: readonly (object | undefined)[] = [undefined, {}, {}, {}];

/** One thing that happens to a batcher. */
export type Step =
  | {
      readonly kind: 'submit';
      readonly tokens: number;
      readonly patienceMs: number;
      readonly whenFull: 'refuse' | 'wait';
      readonly serviceClass: ServiceClass;
      readonly flow: number;
    }
  | { readonly kind: 'abandon'; readonly which: number }
  | { readonly kind: 'promote'; readonly which: number }
  | { readonly kind: 'advance'; readonly byMs: number }
  | {
      readonly kind: 'end';
      readonly which: number;
      readonly how: 'well' | 'failed' | 'lost' | 'memory' | 'short';
    }
  | { readonly kind: 'attach' }
  | { readonly kind: 'attach_solo' }
  | { readonly kind: 'detach'; readonly which: number };

const submitStep = fc.record({
  kind: fc.constant('submit' as const),
  tokens: fc.integer({ min: 1, max: 150 }),
  patienceMs: fc.constantFrom(20, 100, 1_000, Number.POSITIVE_INFINITY),
  whenFull: fc.constantFrom('refuse' as const, 'wait' as const),
  serviceClass: fc.constantFrom('interactive' as const, 'bulk' as const),
  flow: fc.nat({ max: 3 }),
});
export const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: submitStep },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('abandon' as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('promote' as const), which: fc.nat() }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('advance' as const), byMs: fc.integer({ min: 0, max: 60 }) }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      which: fc.nat(),
      how: fc.constantFrom(...(['well', 'well', 'well', 'failed', 'lost', 'memory', 'short'] as const)),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('attach' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('attach_solo' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('detach' as const), which: fc.nat() }) },
);

/** A batcher, everything that was submitted to it, and what has become of that. */
export class World {
  readonly setup;
  readonly submissions: Submission<string>[] = [];
  /** Settlements by name; more than one entry of a name would be a second answer. */
  readonly outcomes = new Map<string, string>();
  readonly violations: string[] = [];
  #runners: {
    readonly runner: ManualRunner;
    readonly solo: boolean;
    readonly detach: () => void;
    attached: boolean;
  }[] = [];
  readonly #policy: PolicyName;

  constructor(policy: PolicyName) {
    this.#policy = policy;
    this.setup = setUp(
      { ...OPTIONS, policy, costCurve: COST, maxDelayMs: policy === 'window' ? 10 : 0 },
      {
        onBatch: (batch) => {
          if (policy === 'length' && batch.items > 1 && batch.paddedTokens > OPTIONS.budgetTokens) {
            this.violations.push(`${batch.items} inputs of up to ${batch.longest} tokens pass the budget`);
          }
          if (batch.items > OPTIONS.maxBatchItems) this.violations.push(`${batch.items} inputs in one batch`);
        },
      },
    );
  }

  async apply(step: Step): Promise<void> {
    const { batcher, clock } = this.setup;
    if (step.kind === 'submit') this.#submit(step);
    else if (step.kind === 'abandon')
      this.submissions[step.which % Math.max(1, this.submissions.length)]?.abandon();
    else if (step.kind === 'promote')
      this.submissions[step.which % Math.max(1, this.submissions.length)]?.promote();
    else if (step.kind === 'advance') await clock.advance(step.byMs);
    else if (step.kind === 'attach') this.attach();
    else if (step.kind === 'attach_solo') this.#attachSolo();
    else if (step.kind === 'detach') this.#detach(step.which);
    else this.#end(step);
    // Submissions of one turn come together; everything else is looked at when it has had its effect.
    if (step.kind === 'submit') return;
    await clock.settle();
    this.#check();
    assert.ok(batcher.overflowItems === 0 || batcher.queuedItems > 0, 'inputs wait outside an empty queue');
  }

  attach(): void {
    const runner = new ManualRunner();
    this.#runners.push({ runner, solo: false, detach: this.setup.batcher.attach(runner), attached: true });
  }

  /** Ends all runs well until nothing is left. */
  async finish(): Promise<void> {
    this.attach();
    await this.setup.clock.advance(20);
    for (let busy = this.#busy(); busy.length > 0; busy = this.#busy()) {
      for (const { runner } of busy) runner.current.succeed();
      await this.setup.clock.advance(20);
    }
  }

  #attachSolo(): void {
    const runner = new ManualRunner();
    this.#runners.push({ runner, solo: true, detach: this.setup.batcher.attachSolo(runner), attached: true });
  }

  #submit(step: Extract<Step, { kind: 'submit' }>): void {
    const { submit, clock, batcher } = this.setup;
    const name = `${this.submissions.length}`;
    const before = batcher.queuedItems;
    const submission = submit(name, step.tokens, {
      deadlineAt: clock.now() + step.patienceMs,
      whenFull: step.whenFull,
      serviceClass: step.serviceClass,
      flow: FLOWS[step.flow],
    });
    if (batcher.queuedItems > Math.max(before, OPTIONS.maxQueueItems))
      this.violations.push('the queue overflows');
    this.submissions.push(submission);
    submission.result.then(
      (result) => this.#settled(name, result.value),
      (error: unknown) =>
        this.#settled(name, error instanceof VerdictError ? error.reason : `not ours: ${String(error)}`),
    );
  }

  #settled(name: string, outcome: string): void {
    if (this.outcomes.has(name)) this.violations.push(`${name} was answered twice`);
    if (outcome.startsWith('not ours')) this.violations.push(outcome);
    if (/^\d+$/.test(outcome) && outcome !== name)
      this.violations.push(`${name} got the answer of ${outcome}`);
    this.outcomes.set(name, outcome);
  }

  #end({ which, how }: Extract<Step, { kind: 'end' }>): void {
    const busy = this.#busy();
    const entry = busy[which % Math.max(1, busy.length)];
    if (entry === undefined) return;
    if (how === 'well') entry.runner.current.succeed();
    else if (how === 'short') entry.runner.current.end([]);
    else if (how === 'failed') entry.runner.current.fail(new Error('failed'));
    else if (how === 'memory') entry.runner.current.fail(new OutOfMemoryError('memory'));
    else {
      entry.attached = false;
      entry.runner.current.fail(new RunnerLostError('lost'));
    }
  }

  #detach(which: number): void {
    const entry = this.#runners[which % Math.max(1, this.#runners.length)];
    if (entry === undefined) return;
    entry.attached = false;
    entry.detach();
  }

  #busy() {
    return this.#runners.filter(({ runner }) => runner.runs.length > 0);
  }

  #check(): void {
    const { batcher, clock } = this.setup;
    const idle = this.#runners.filter(
      ({ runner, solo, attached }) => attached && !solo && runner.runs.length === 0,
    );
    if (this.#policy !== 'window' && idle.length > 0 && batcher.queuedItems > 0) {
      this.violations.push(`${batcher.queuedItems} inputs are queued beside a free runner at ${clock.now()}`);
    }
    for (const { runner, solo } of this.#runners) {
      if (runner.runs.length > 1) this.violations.push('a runner got a second batch');
      if (solo && (runner.runs[0]?.inputs.length ?? 0) > 1) {
        this.violations.push('a runner for solo inputs got several');
      }
    }
    assert.deepEqual(this.violations, []);
  }
}
