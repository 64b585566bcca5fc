import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { VirtualClock } from '../../../src/simulation/virtual-clock.js';
import { setUp } from './batcher-setup.js';
import { COST, stepArbitrary, World } from './batcher-world.js';
import { type Text, TimedRunner } from './fake-runners.js';

for (const policy of ['length', 'fifo', 'window'] as const) {
  describe(`a batcher with the ${policy} policy, whatever happens to it`, () => {
    test('keeps its limits and leaves no runner free, and answers everything once when runners come back', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(stepArbitrary, { maxLength: 80 }), async (steps) => {
          const world = new World(policy);
          for (const step of steps) await world.apply(step);
          await world.finish();
          assert.deepEqual(world.violations, []);
          assert.equal(world.outcomes.size, world.submissions.length);
          assert.equal(world.setup.batcher.queuedItems + world.setup.batcher.overflowItems, 0);
          assert.equal(world.setup.batcher.queuedTokens, 0);
        }),
        { numRuns: 60 },
      );
    });

    test('answers everything once when it is closed by force at any point', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(stepArbitrary, { maxLength: 50 }), async (steps) => {
          const world = new World(policy);
          for (const step of steps) await world.apply(step);
          const force = new AbortController();
          const closed = world.setup.batcher.close(force.signal);
          await world.setup.clock.settle();
          force.abort();
          await closed;
          await world.setup.clock.settle();
          assert.equal(world.outcomes.size, world.submissions.length);
          assert.equal(world.setup.clock.pendingTimers, 0);
        }),
        { numRuns: 40 },
      );
    });
  });
}

/** A timed runner that notes with which run, counted over all runners, each text started. */
class CountingRunner extends TimedRunner {
  readonly #starts: Map<string, number>;
  readonly #count: { runs: number };

  constructor(clock: VirtualClock, starts: Map<string, number>, count: { runs: number }) {
    super(clock, COST);
    this.#starts = starts;
    this.#count = count;
  }

  override run(inputs: readonly Text[]) {
    this.#count.runs++;
    for (const { name } of inputs) this.#starts.set(name, this.#count.runs);
    return super.run(inputs);
  }
}

describe('the wait in the queue', () => {
  test('ends at the latest with as many batches as inputs were ahead, whatever comes in behind', async () => {
    const arrivals = fc.array(
      fc.record({ tokens: fc.integer({ min: 1, max: 300 }), pauseMs: fc.integer({ min: 0, max: 30 }) }),
      { minLength: 1, maxLength: 60 },
    );
    await fc.assert(
      fc.asyncProperty(arrivals, fc.integer({ min: 1, max: 3 }), async (texts, runners) => {
        const { batcher, clock, submit } = setUp({
          budgetTokens: 200,
          maxQueueItems: 1_000,
          maxAgeMs: 100,
          costCurve: COST,
        });
        const starts = new Map<string, number>();
        const count = { runs: 0 };
        for (let i = 0; i < runners; i++) batcher.attach(new CountingRunner(clock, starts, count));
        const latest: number[] = [];
        for (const [i, { tokens, pauseMs }] of texts.entries()) {
          await clock.advance(pauseMs);
          latest.push(count.runs + batcher.queuedItems + 1);
          submit(`${i}`, tokens);
        }
        await clock.advance(1_000_000);
        for (const [i, most] of latest.entries()) {
          const start = starts.get(`${i}`) ?? Number.POSITIVE_INFINITY;
          assert.ok(start <= most, `${i} started with run ${start} instead of ${most}`);
        }
      }),
      { numRuns: 60 },
    );
  });
});
